import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Balances(_message.Message):
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
