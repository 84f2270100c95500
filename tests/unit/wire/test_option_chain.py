"""A chain that is printed here says what Envoy would print of its message."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from google.protobuf.json_format import MessageToDict

from server.brokerage.instruments.chains import OptionChain, OptionContract
from server.wire.option_chain import option_chain_json, option_chain_to

TODAY = date(2026, 11, 20)


def chain(symbol: str, strikes: list[str], days: list[int]) -> OptionChain:
    contracts = [
        OptionContract(
            symbol=f"{symbol:<6}{right}{strike}",
            streamer_symbol=f".{symbol}{right}{strike}",
            option_type=right,
            strike=Decimal(strike),
            expiration=TODAY + timedelta(days=day),
            root_symbol=symbol,
            settlement_type="PM",
            expiration_type="Weekly",
        )
        for day in days
        for strike in strikes
        for right in "CP"
    ]
    return OptionChain(symbol=symbol, today=TODAY, contracts=tuple(contracts))


@pytest.mark.parametrize("all_options", [True, False])
@pytest.mark.parametrize(
    "found",
    [chain("SPY", ["685", "12.5", "0.05"], [0, 3, 28]), chain("X", [], [])],
    ids=["some", "none"],
)
def test_json_and_message_agree(found: OptionChain, all_options: bool) -> None:
    printed = json.loads(option_chain_json(found, all_options=all_options))
    message = option_chain_to(found, all_options=all_options)
    expected = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert printed == expected
    # In the same order: that of the contract.
    assert list(printed) == [field.name for field in message.DESCRIPTOR.fields]
