import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Transaction(_message.Message):
    __slots__ = ("id", "account_number", "transaction_type", "transaction_sub_type", "description", "executed_at", "transaction_date", "symbol", "instrument_type", "underlying_symbol", "action", "quantity", "price", "value", "net_value", "commission", "clearing_fees", "regulatory_fees", "proprietary_index_option_fees", "other_charge", "is_estimated_fee", "order_id", "currency")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_SUB_TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_AT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_DATE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NET_VALUE_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    CLEARING_FEES_FIELD_NUMBER: _ClassVar[int]
    REGULATORY_FEES_FIELD_NUMBER: _ClassVar[int]
    PROPRIETARY_INDEX_OPTION_FEES_FIELD_NUMBER: _ClassVar[int]
    OTHER_CHARGE_FIELD_NUMBER: _ClassVar[int]
    IS_ESTIMATED_FEE_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    id: str
    account_number: str
    transaction_type: str
    transaction_sub_type: str
    description: str
    executed_at: _timestamp_pb2.Timestamp
    transaction_date: str
    symbol: str
    instrument_type: str
    underlying_symbol: str
    action: str
    quantity: str
    price: str
    value: str
    net_value: str
    commission: str
    clearing_fees: str
    regulatory_fees: str
    proprietary_index_option_fees: str
    other_charge: str
    is_estimated_fee: bool
    order_id: str
    currency: str
    def __init__(self, id: _Optional[str] = ..., account_number: _Optional[str] = ..., transaction_type: _Optional[str] = ..., transaction_sub_type: _Optional[str] = ..., description: _Optional[str] = ..., executed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., transaction_date: _Optional[str] = ..., symbol: _Optional[str] = ..., instrument_type: _Optional[str] = ..., underlying_symbol: _Optional[str] = ..., action: _Optional[str] = ..., quantity: _Optional[str] = ..., price: _Optional[str] = ..., value: _Optional[str] = ..., net_value: _Optional[str] = ..., commission: _Optional[str] = ..., clearing_fees: _Optional[str] = ..., regulatory_fees: _Optional[str] = ..., proprietary_index_option_fees: _Optional[str] = ..., other_charge: _Optional[str] = ..., is_estimated_fee: _Optional[bool] = ..., order_id: _Optional[str] = ..., currency: _Optional[str] = ...) -> None: ...
