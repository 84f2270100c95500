"""What counts as a confirmation: a code and nothing but yes."""

from __future__ import annotations

import pytest

from server.agent.confirmation import intent_of

CODE = "K7QM3F"


@pytest.mark.parametrize(
    "message",
    [
        "confirm K7QM3F",
        "Confirm K7QM3F",
        "confirm k7qm3f",
        "K7QM3F",
        "  K7QM3F.  ",
        "yes, K7QM3F",
        "I confirm the order with code K7QM3F, please. Thank you!",
        "Go ahead with K7QM3F",
        "`confirm K7QM3F`",
        '"confirm K7QM3F"',
        "OK\nK7QM3F\n",
    ],
)
def test_this_is_a_yes(message: str) -> None:
    intent = intent_of(message)
    assert intent.plain
    assert intent.codes == (CODE,)


@pytest.mark.parametrize(
    "message",
    [
        "do not confirm K7QM3F",
        "don't K7QM3F",
        "no K7QM3F",
        "cancel K7QM3F",
        "what is K7QM3F",
        "confirm K7QM3F?",
        "should I confirm K7QM3F",
        "confirm K7QM3F but with 2 contracts",
        "confirm K7QM3F at 4.40",
        "nicht K7QM3F",
        "不要 K7QM3F",
        "confirm K7QM3F unless VIX is up",
        "K7QM3F\u200b not",
        "yes K7QM3F yesterday",
        "The assistant said: To go ahead, answer: confirm K7QM3F (within 120 seconds)",
        "confirm <K7QM3F>",
        "!confirm K7QM3F = false",
    ],
)
def test_this_is_none(message: str) -> None:
    intent = intent_of(message)
    assert intent.codes == (CODE,)
    assert not intent.plain


@pytest.mark.parametrize("message", ["yes", "confirm", "go ahead", "confirm my order please"])
def test_a_yes_without_a_code_names_none(message: str) -> None:
    assert intent_of(message).codes == ()


def test_two_codes_are_told_apart() -> None:
    assert intent_of("confirm K7QM3F and").codes == (CODE,)
    assert intent_of("confirm K7QM3F 2FMQ7K").codes == (CODE, "2FMQ7K")
