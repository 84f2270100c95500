"""Every rpc of the contract as a value, read from the generated descriptors and their policy.

There is no list of rpcs here: a service counts from the moment its module stands in `MODULES`, and
what an rpc needs (whose key) stands in its `policy` option. Only what the contract has no business
to know is a table here: the lanes of the queue and to the broker, where a key is named, and who
is waited for longer.
"""

from __future__ import annotations

__all__ = [
    "MODULES",
    "Access",
    "Lane",
    "Method",
    "Patience",
    "contract_methods",
    "contract_services",
]

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from tasty.v1 import (
    account_service_pb2,
    chat_service_pb2,
    credentials_service_pb2,
    market_data_service_pb2,
    method_policy_pb2,
    order_service_pb2,
    reference_service_pb2,
    system_service_pb2,
    watchlist_service_pb2,
)

from server.brokerage.transport import urgency as broker

MODULES: tuple[ModuleType, ...] = (
    system_service_pb2,
    credentials_service_pb2,
    account_service_pb2,
    market_data_service_pb2,
    reference_service_pb2,
    order_service_pb2,
    watchlist_service_pb2,
    chat_service_pb2,
)


class Access(enum.Enum):
    """Whose key a call needs."""

    OPEN = method_policy_pb2.AUTHENTICATION_NONE
    KEY = method_policy_pb2.AUTHENTICATION_UNSPECIFIED
    KEY_OR_ADMIN = method_policy_pb2.AUTHENTICATION_KEY_OR_ADMIN


class Lane(enum.Enum):
    """Which queue of an API key a call waits in."""

    MAIN = "main"
    ORDER = "order"
    CANCEL = "cancel"


class Patience(enum.Enum):
    """How long a call may take whose client set no deadline, streams of a model in any case; the
    settings say it in seconds."""

    USUAL = "usual"
    MODEL = "model"


LANES: Mapping[str, Lane] = {
    # Getting out of the market never waits behind a page that reads quotes, be it by a cancel or by
    # an order that closes: which one it is stands in its body, which is not read yet.
    "/tasty.v1.OrderService/PlaceOrder": Lane.ORDER,
    "/tasty.v1.OrderService/ReplaceOrder": Lane.ORDER,
    "/tasty.v1.OrderService/PlaceComplexOrder": Lane.ORDER,
    "/tasty.v1.OrderService/ConfirmOrder": Lane.ORDER,
    # And a cancel waits behind no order.
    "/tasty.v1.OrderService/CancelOrder": Lane.CANCEL,
    "/tasty.v1.OrderService/CancelComplexOrder": Lane.CANCEL,
}

URGENCY: Mapping[str, broker.Lane] = {
    "/tasty.v1.OrderService/CancelOrder": broker.Lane.CANCEL,
    "/tasty.v1.OrderService/CancelComplexOrder": broker.Lane.CANCEL,
    "/tasty.v1.OrderService/PlaceOrder": broker.Lane.ORDER,
    "/tasty.v1.OrderService/PlaceComplexOrder": broker.Lane.ORDER,
    "/tasty.v1.OrderService/ReplaceOrder": broker.Lane.ORDER,
    "/tasty.v1.OrderService/ConfirmOrder": broker.Lane.ORDER,
    # Whoever wants to cancel an order, or lost the answer to one, has to find it first.
    "/tasty.v1.OrderService/GetOrder": broker.Lane.ORDER,
    "/tasty.v1.OrderService/ListLiveOrders": broker.Lane.ORDER,
}
"""Which lane the requests of an rpc take to the broker; what is not here, reads."""

KEY_FIELDS: Mapping[str, str] = {
    # Replacing credentials proves the key by naming it.
    "/tasty.v1.CredentialsService/SaveCredentials": "api_key",
}

PATIENCE: Mapping[str, Patience] = {
    # A model thinks, calls tools through the queue, and thinks again.
    "/tasty.v1.ChatService/Chat": Patience.MODEL,
    "/tasty.v1.ChatService/StreamChat": Patience.MODEL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One rpc: what it is called, what it takes, and what the chain must know about it."""

    path: str
    """As on the wire: "/tasty.v1.SystemService/GetHealth"."""
    service: str
    name: str
    request: type[Message]
    client_streaming: bool
    server_streaming: bool
    access: Access
    changes: bool
    """Whether it has any effect, by its `idempotency_level`."""
    lane: Lane
    patience: Patience
    urgency: broker.Lane = broker.Lane.READ
    """Before and behind whom its requests to the broker wait."""
    key_field: str = ""
    """On an open rpc, the field of the request that may hold an API key."""

    @property
    def streaming(self) -> bool:
        return self.client_streaming or self.server_streaming


def contract_services(modules: Sequence[ModuleType] = MODULES) -> Iterator[ServiceDescriptor]:
    """Yields the services of the contract, in the order of the modules."""
    for module in modules:
        yield from module.DESCRIPTOR.services_by_name.values()


def contract_methods(modules: Sequence[ModuleType] = MODULES) -> Iterator[Method]:
    """Yields every rpc of the contract."""
    for service in contract_services(modules):
        for method in service.methods:
            yield _method(service, method)


def _method(service: ServiceDescriptor, method: MethodDescriptor) -> Method:
    path = f"/{service.full_name}/{method.name}"
    options: Any = method.GetOptions()  # its stubs do not know extensions
    policy = options.Extensions[method_policy_pb2.policy]
    return Method(
        path=path,
        service=service.full_name,
        name=method.name,
        request=GetMessageClass(method.input_type),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        access=Access(policy.authentication),
        changes=options.idempotency_level != MethodOptions.NO_SIDE_EFFECTS,
        lane=LANES.get(path, Lane.MAIN),
        patience=PATIENCE.get(path, Patience.USUAL),
        urgency=URGENCY.get(path, broker.Lane.READ),
        key_field=KEY_FIELDS.get(path, ""),
    )
