"""Answers of chains are made once, and no more of them are kept than there is room for."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from decimal import Decimal

from google.api.httpbody_pb2 import HttpBody
from tasty.v1 import reference_service_pb2 as pb

from server.brokerage.instruments.chains import OptionChain, OptionContract
from server.rpc.encoded_chains import KEPT, TENANT_PART, EncodedChains
from server.wire.option_chain import ChainRequest, chain_request_from

TODAY = date(2026, 11, 20)


def chain(symbol: str = "SPY", strikes: int = 50) -> OptionChain:
    contracts = tuple(
        OptionContract(
            symbol=f"{symbol:<6}261218C{strike:05}000",
            streamer_symbol=f".{symbol}261218C{strike}",
            option_type="C",
            strike=Decimal(strike),
            expiration=date(2026, 12, 18),
            root_symbol=symbol,
            settlement_type="PM",
            expiration_type="Regular",
        )
        for strike in range(1, strikes + 1)
    )
    return OptionChain(symbol=symbol, today=TODAY, contracts=contracts)


def wanting(**wanted: float) -> ChainRequest:
    return chain_request_from(pb.GetOptionChainRequest(symbol="SPY", **wanted))


async def test_an_answer_is_made_once_in_each_form() -> None:
    answers, spy = EncodedChains(), chain()
    made = await asyncio.gather(
        *(
            answers.of(spy, wanting(), printed=printed, owner="mine")
            for printed in (True, False) * 5
        )
    )
    assert answers.encoded == 2
    assert len(set(made)) == 2
    body = HttpBody.FromString(made[0])
    assert body.content_type == "application/json"
    assert json.loads(body.data)["total_options"] == 50
    assert pb.GetOptionChainResponse.FromString(made[1]).total_options == 50


async def test_a_part_is_not_taken_for_the_whole() -> None:
    answers, spy = EncodedChains(), chain()
    whole = HttpBody.FromString(await answers.of(spy, wanting(), printed=True, owner="mine"))
    part = HttpBody.FromString(
        await answers.of(spy, wanting(max_strike=7.5), printed=True, owner="mine")
    )
    assert json.loads(whole.data)["total_options"] == 50
    assert json.loads(part.data)["total_options"] == 7


async def test_a_chain_takes_its_answers_along() -> None:
    answers, spy = EncodedChains(), chain()
    await answers.of(spy, wanting(), printed=True, owner="mine")
    assert answers.kept_bytes > 0
    del spy
    assert answers.kept_bytes == 0


async def test_of_one_chain_only_some_answers_are_kept() -> None:
    answers, spy = EncodedChains(), chain()
    size = len(await answers.of(spy, wanting(), printed=True, owner="mine"))
    for number in range(3 * KEPT):
        await answers.of(spy, wanting(min_strike=number / 100), printed=True, owner="mine")
    assert answers.kept_bytes <= KEPT * size


async def test_answers_of_many_tenants_share_one_bound() -> None:
    size = len(await EncodedChains().of(chain(), wanting(), printed=True, owner="mine"))
    answers = EncodedChains(most_bytes=3 * size)
    chains = [chain() for _ in range(10)]  # one of each tenant
    for number, each in enumerate(chains):
        await answers.of(each, wanting(), printed=True, owner=f"tenant {number}")
        await answers.of(chains[0], wanting(), printed=True, owner="tenant 0")
        assert answers.kept_bytes <= 3 * size

    # The longest unused went first: the one that is used all the time was never made again.
    assert answers.encoded == len(chains)
    await answers.of(chains[-1], wanting(), printed=True, owner="tenant 9")
    assert answers.encoded == len(chains)
    await answers.of(chains[1], wanting(), printed=True, owner="tenant 1")
    assert answers.encoded == len(chains) + 1


async def test_an_answer_beyond_all_room_is_still_given() -> None:
    answers, spy = EncodedChains(most_bytes=10), chain()
    for _ in range(2):
        assert len(await answers.of(spy, wanting(), printed=True, owner="mine")) > 10
    assert answers.encoded == 1
    await answers.of(chain("QQQ"), wanting(), printed=True, owner="mine")
    await answers.of(spy, wanting(), printed=True, owner="mine")
    assert answers.encoded == 3


async def test_one_tenant_pushes_out_only_his_own_answers() -> None:
    size = len(await EncodedChains().of(chain(), wanting(), printed=True, owner="mine"))
    answers = EncodedChains(most_bytes=TENANT_PART * 2 * size)
    mine = chain()
    await answers.of(mine, wanting(), printed=True, owner="mine")
    greedy = [chain() for _ in range(20)]
    for each in greedy:
        await answers.of(each, wanting(), printed=True, owner="greedy")
        assert answers.kept_bytes <= 3 * size

    await answers.of(mine, wanting(), printed=True, owner="mine")
    assert answers.encoded == 21
