from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class SubscriptionAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_ACTION_UNSPECIFIED: _ClassVar[SubscriptionAction]
    SUBSCRIPTION_ACTION_SUBSCRIBE: _ClassVar[SubscriptionAction]
    SUBSCRIPTION_ACTION_UNSUBSCRIBE: _ClassVar[SubscriptionAction]
    SUBSCRIPTION_ACTION_CONFIGURE: _ClassVar[SubscriptionAction]

class MarketEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARKET_EVENT_TYPE_UNSPECIFIED: _ClassVar[MarketEventType]
    MARKET_EVENT_TYPE_QUOTE: _ClassVar[MarketEventType]
    MARKET_EVENT_TYPE_GREEKS: _ClassVar[MarketEventType]
    MARKET_EVENT_TYPE_TRADE: _ClassVar[MarketEventType]
SUBSCRIPTION_ACTION_UNSPECIFIED: SubscriptionAction
SUBSCRIPTION_ACTION_SUBSCRIBE: SubscriptionAction
SUBSCRIPTION_ACTION_UNSUBSCRIBE: SubscriptionAction
SUBSCRIPTION_ACTION_CONFIGURE: SubscriptionAction
MARKET_EVENT_TYPE_UNSPECIFIED: MarketEventType
MARKET_EVENT_TYPE_QUOTE: MarketEventType
MARKET_EVENT_TYPE_GREEKS: MarketEventType
MARKET_EVENT_TYPE_TRADE: MarketEventType
