"""What the analyst asks of a model, and what it makes of its answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest
from tasty.v1.quote_pb2 import Quote

from server.agent.analysis import MOST_ROWS, Analyst
from server.agent.model import ModelAnswer, ModelRequest, TextPiece
from server.agent.talk import Usage
from server.errors import ModelUnavailable
from server.settings import Settings

ROWS = [Quote(symbol=f"S{number}", bid_price="1.00") for number in range(100)]


class SaidModel:
    """Satisfies `Model`: says what the test says, and remembers what it was asked."""

    configured = True

    def __init__(self, *said: str, loaded: bool = True) -> None:
        self.said = said
        self.loaded = loaded
        self.asked: list[ModelRequest] = []

    def begin_to_load(self) -> None:
        self.loaded = True

    async def ask(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        self.asked.append(request)
        for text in self.said:
            if text == "!":
                raise ModelUnavailable("it is overloaded")

            yield TextPiece(text)

        yield ModelAnswer(blocks=[], stop_reason="end_turn", usage=Usage(), model="m")


def analyst(model: Any, **settings: Any) -> Analyst:
    return Analyst(Settings(anthropic_api_key="", **settings), model)


async def test_the_pieces_become_one_text() -> None:
    analysis = await analyst(SaidModel(" SPY ", "is tight. ")).of("quotes", ROWS, wanted=None)
    assert (analysis.text, analysis.error) == ("SPY is tight.", "")


async def test_the_model_gets_some_rows_as_data_and_no_tools() -> None:
    model = SaidModel("x")
    await analyst(model).of("quotes", ROWS, wanted=True)
    (request,) = model.asked
    assert request.model == "claude-haiku-5-5"
    assert request.tools == ()
    assert request.retries == 0
    content = str(request.messages[0]["content"])
    rows = orjson.loads(next(line for line in content.splitlines() if line.startswith("[")))
    assert len(rows) == MOST_ROWS
    assert rows[0] == {"symbol": "S0", "bid_price": "1.00"}


async def test_half_an_analysis_is_none() -> None:
    analysis = await analyst(SaidModel("SPY is", "!")).of("quotes", ROWS, wanted=None)
    assert analysis.text == ""
    assert "it is overloaded" in analysis.error


@pytest.mark.parametrize(
    ("model", "rows", "wanted", "settings", "why"),
    [
        (SaidModel("x"), ROWS, False, {}, "not asked for"),
        (SaidModel("x"), [], None, {}, "nothing to analyse"),
        (SaidModel("x"), ROWS, None, {"analysis_budget_s": 0}, "switched off"),
        (SaidModel("x", loaded=False), ROWS, None, {}, "being loaded"),
        (SaidModel(), ROWS, None, {}, "nothing to say"),
    ],
)
async def test_why_there_is_none(
    model: SaidModel, rows: list[Quote], wanted: bool | None, settings: dict[str, Any], why: str
) -> None:
    analysis = await analyst(model, **settings).of("quotes", rows, wanted=wanted)
    assert analysis.text == ""
    assert why in analysis.error
    assert bool(model.asked) == (why == "nothing to say")


async def test_it_is_loaded_once_somebody_wants_it() -> None:
    model = SaidModel("x", loaded=False)
    await analyst(model).of("quotes", ROWS, wanted=None)
    assert model.loaded
    assert (await analyst(model).of("quotes", ROWS, wanted=None)).text == "x"
