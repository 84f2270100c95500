import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import net_liquidating_value_pb2 as _net_liquidating_value_pb2
from tasty.v1 import position_pb2 as _position_pb2
from tasty.v1 import stream_pb2 as _stream_pb2
from tasty.v1 import transaction_pb2 as _transaction_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetBalancesRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class GetBalancesResponse(_message.Message):
    __slots__ = ("cash", "net_liquidating_value", "buying_power", "equity", "day_trading_buying_power", "account_number", "cash_balance", "equity_buying_power", "derivative_buying_power", "available_trading_funds", "maintenance_requirement", "maintenance_excess", "cash_available_to_withdraw", "pending_cash", "used_derivative_buying_power", "updated_at")
    CASH_FIELD_NUMBER: _ClassVar[int]
    NET_LIQUIDATING_VALUE_FIELD_NUMBER: _ClassVar[int]
    BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    DAY_TRADING_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CASH_BALANCE_FIELD_NUMBER: _ClassVar[int]
    EQUITY_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    DERIVATIVE_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TRADING_FUNDS_FIELD_NUMBER: _ClassVar[int]
    MAINTENANCE_REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    MAINTENANCE_EXCESS_FIELD_NUMBER: _ClassVar[int]
    CASH_AVAILABLE_TO_WITHDRAW_FIELD_NUMBER: _ClassVar[int]
    PENDING_CASH_FIELD_NUMBER: _ClassVar[int]
    USED_DERIVATIVE_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    cash: str
    net_liquidating_value: str
    buying_power: str
    equity: str
    day_trading_buying_power: str
    account_number: str
    cash_balance: str
    equity_buying_power: str
    derivative_buying_power: str
    available_trading_funds: str
    maintenance_requirement: str
    maintenance_excess: str
    cash_available_to_withdraw: str
    pending_cash: str
    used_derivative_buying_power: str
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, cash: _Optional[str] = ..., net_liquidating_value: _Optional[str] = ..., buying_power: _Optional[str] = ..., equity: _Optional[str] = ..., day_trading_buying_power: _Optional[str] = ..., account_number: _Optional[str] = ..., cash_balance: _Optional[str] = ..., equity_buying_power: _Optional[str] = ..., derivative_buying_power: _Optional[str] = ..., available_trading_funds: _Optional[str] = ..., maintenance_requirement: _Optional[str] = ..., maintenance_excess: _Optional[str] = ..., cash_available_to_withdraw: _Optional[str] = ..., pending_cash: _Optional[str] = ..., used_derivative_buying_power: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPositionsRequest(_message.Message):
    __slots__ = ("account_id",)
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    def __init__(self, account_id: _Optional[str] = ...) -> None: ...

class ListPositionsResponse(_message.Message):
    __slots__ = ("positions", "table", "errors")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_position_pb2.Position]
    table: str
    errors: _containers.RepeatedCompositeFieldContainer[PositionError]
    def __init__(self, positions: _Optional[_Iterable[_Union[_position_pb2.Position, _Mapping]]] = ..., table: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[PositionError, _Mapping]]] = ...) -> None: ...

class PositionError(_message.Message):
    __slots__ = ("symbol", "reason")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    reason: str
    def __init__(self, symbol: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListNetLiquidatingValueHistoryRequest(_message.Message):
    __slots__ = ("account_id", "time_back")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_BACK_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    time_back: str
    def __init__(self, account_id: _Optional[str] = ..., time_back: _Optional[str] = ...) -> None: ...

class ListNetLiquidatingValueHistoryResponse(_message.Message):
    __slots__ = ("history", "table", "account_id", "time_back")
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_BACK_FIELD_NUMBER: _ClassVar[int]
    history: _containers.RepeatedCompositeFieldContainer[_net_liquidating_value_pb2.NetLiquidatingValue]
    table: str
    account_id: str
    time_back: str
    def __init__(self, history: _Optional[_Iterable[_Union[_net_liquidating_value_pb2.NetLiquidatingValue, _Mapping]]] = ..., table: _Optional[str] = ..., account_id: _Optional[str] = ..., time_back: _Optional[str] = ...) -> None: ...

class ListTransactionsRequest(_message.Message):
    __slots__ = ("account_id", "days", "underlying_symbol", "transaction_type", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    days: int
    underlying_symbol: str
    transaction_type: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., days: _Optional[int] = ..., underlying_symbol: _Optional[str] = ..., transaction_type: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTransactionsResponse(_message.Message):
    __slots__ = ("transactions", "table", "next_page_token", "skipped")
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    transactions: _containers.RepeatedCompositeFieldContainer[_transaction_pb2.Transaction]
    table: str
    next_page_token: str
    skipped: int
    def __init__(self, transactions: _Optional[_Iterable[_Union[_transaction_pb2.Transaction, _Mapping]]] = ..., table: _Optional[str] = ..., next_page_token: _Optional[str] = ..., skipped: _Optional[int] = ...) -> None: ...

class StreamPositionsRequest(_message.Message):
    __slots__ = ("account_id", "min_interval", "heartbeat_interval")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    min_interval: float
    heartbeat_interval: float
    def __init__(self, account_id: _Optional[str] = ..., min_interval: _Optional[float] = ..., heartbeat_interval: _Optional[float] = ...) -> None: ...

class StreamPositionsResponse(_message.Message):
    __slots__ = ("kind", "notice", "positions", "totals", "closed_symbols", "computed_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    COMPUTED_AT_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    notice: _stream_pb2.StreamNotice
    positions: _containers.RepeatedCompositeFieldContainer[_position_pb2.Position]
    totals: _position_pb2.PortfolioTotals
    closed_symbols: _containers.RepeatedScalarFieldContainer[str]
    computed_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., positions: _Optional[_Iterable[_Union[_position_pb2.Position, _Mapping]]] = ..., totals: _Optional[_Union[_position_pb2.PortfolioTotals, _Mapping]] = ..., closed_symbols: _Optional[_Iterable[str]] = ..., computed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
