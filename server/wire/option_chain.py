"""What part of an option chain a request wants, and that part as a message."""

from __future__ import annotations

__all__ = ["ChainRequest", "chain_request_from", "option_chain_json", "option_chain_to"]

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson
from tasty.v1 import option_chain_pb2, reference_service_pb2

from server.brokerage.instruments.chains import ChainFilter, OptionChain, OptionContract
from server.errors import InvalidField
from server.tables.option_chain import option_chain_table
from server.wire.times import date_from


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRequest:
    """What part of which chain, and in what form."""

    symbol: str
    wanted: ChainFilter
    all_options: bool


def chain_request_from(request: reference_service_pb2.GetOptionChainRequest) -> ChainRequest:
    """Returns what is asked for; raises InvalidField where a lower bound exceeds its upper one."""
    wanted = ChainFilter(
        expiration=date_from(request.expiration_date)
        if request.HasField("expiration_date")
        else None,
        min_dte=request.min_dte if request.HasField("min_dte") else None,
        max_dte=request.max_dte if request.HasField("max_dte") else None,
        option_type=request.option_type if request.HasField("option_type") else None,
        min_strike=_strike(request.min_strike) if request.HasField("min_strike") else None,
        max_strike=_strike(request.max_strike) if request.HasField("max_strike") else None,
    )
    if _crossed(wanted.min_dte, wanted.max_dte):
        raise InvalidField("max_dte", wanted.max_dte, f"at least min_dte, {wanted.min_dte}")

    if _crossed(wanted.min_strike, wanted.max_strike):
        raise InvalidField(
            "max_strike", wanted.max_strike, f"at least min_strike, {wanted.min_strike}"
        )

    return ChainRequest(
        symbol=request.symbol,
        wanted=wanted,
        all_options=request.all_options if request.HasField("all_options") else True,
    )


def option_chain_to(
    chain: OptionChain, *, all_options: bool = True
) -> reference_service_pb2.GetOptionChainResponse:
    answer = reference_service_pb2.GetOptionChainResponse(
        symbol=chain.symbol,
        total_expirations=len(chain.expirations),
        total_options=len(chain.contracts),
        expiration_dates=[day.isoformat() for day in chain.expirations],
        table=option_chain_table(chain),
    )
    for day, group in groupby(chain.contracts, key=lambda each: each.expiration):
        contracts = [_contract_to(each, chain.today) for each in group]
        expiration = answer.chain[day.isoformat()]
        expiration.calls.extend(each for each in contracts if each.option_type == "C")
        expiration.puts.extend(each for each in contracts if each.option_type == "P")
        expiration.strikes.extend(sorted({each.strike_price for each in contracts}))
        expiration.total_options = len(contracts)
        if all_options:
            answer.all_options.extend(contracts)

    return answer


def option_chain_json(chain: OptionChain, *, all_options: bool = True) -> bytes:
    """Returns what Envoy would print of the message, without the message."""
    expirations: dict[str, Any] = {}
    every: list[dict[str, Any]] = []
    for day, group in groupby(chain.contracts, key=lambda each: each.expiration):
        contracts = [_contract_json(each, chain.today) for each in group]
        expirations[day.isoformat()] = {
            "calls": [each for each in contracts if each["option_type"] == "C"],
            "puts": [each for each in contracts if each["option_type"] == "P"],
            "strikes": sorted({each["strike_price"] for each in contracts}),
            "total_options": len(contracts),
        }
        every += contracts

    return orjson.dumps(
        {
            "symbol": chain.symbol,
            "total_expirations": len(expirations),
            "total_options": len(every),
            "expiration_dates": list(expirations),
            "chain": expirations,
            "all_options": every if all_options else [],
            "table": option_chain_table(chain),
        }
    )


def _contract_json(contract: OptionContract, today: date) -> dict[str, Any]:
    return {
        "strike_price": float(contract.strike),
        "option_type": contract.option_type,
        "streamer_symbol": contract.streamer_symbol,
        "expiration_date": contract.expiration.isoformat(),
        "symbol": contract.symbol,
        "days_to_expiration": (contract.expiration - today).days,
        "settlement_type": contract.settlement_type,
        "expiration_type": contract.expiration_type,
        "root_symbol": contract.root_symbol,
    }


def _contract_to(contract: OptionContract, today: date) -> option_chain_pb2.OptionContract:
    return option_chain_pb2.OptionContract(
        strike_price=float(contract.strike),
        option_type=contract.option_type,
        streamer_symbol=contract.streamer_symbol,
        expiration_date=contract.expiration.isoformat(),
        symbol=contract.symbol,
        days_to_expiration=(contract.expiration - today).days,
        settlement_type=contract.settlement_type,
        expiration_type=contract.expiration_type,
        root_symbol=contract.root_symbol,
    )


def _strike(value: float) -> Decimal:
    # The shortest spelling of the float is what the client wrote.
    return Decimal(repr(value))


def _crossed(low: Decimal | int | None, high: Decimal | int | None) -> bool:
    return low is not None and high is not None and low > high
