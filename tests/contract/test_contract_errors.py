"""The reasons of the contract and the exceptions of the server are the same set, in both ways."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest

from server import errors
from server.contract.catalog import Contract
from server.contract.error_samples import ErrorSample, samples

MADE_OF_NO_EXCEPTION = {"ERROR_REASON_INTERNAL"}
"""An exception that nobody foresaw has no class of ours; the failures interceptor names it."""

STATUSES = {
    errors.BadInput: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooManyRequests: 429,
    errors.NotBuilt: 501,
    errors.Unavailable: 503,
    errors.Late: 504,
}


def leaves(
    cls: type[errors.GatewayError] = errors.GatewayError,
) -> Iterator[type[errors.GatewayError]]:
    for child in cls.__subclasses__():
        if not child.__module__.startswith(f"{errors.__name__}."):
            continue  # a class of somebody's test

        if "reason" in vars(child):
            yield child

        yield from leaves(child)


def by_reason(contract: Contract) -> dict[str, ErrorSample]:
    return {sample.reason: sample for sample in samples(contract)}


def test_every_reason_has_its_exception_and_the_other_way_round(contract: Contract) -> None:
    raised = [cls.reason for cls in leaves()]
    assert len(raised) == len(set(raised)), "two classes share a reason"
    assert set(raised) | MADE_OF_NO_EXCEPTION == set(by_reason(contract))


def test_the_number_of_a_reason_begins_with_its_status(contract: Contract) -> None:
    found = by_reason(contract)

    for cls in leaves():
        family = next(family for family in STATUSES if issubclass(cls, family))
        assert found[cls.reason].status == STATUSES[family], cls.reason


def test_every_reason_has_a_meaning_and_a_sample(contract: Contract) -> None:
    bare = [one.reason for one in samples(contract) if not (one.meaning and one.sentence)]
    assert bare == []


@pytest.mark.parametrize("cls", list(leaves()), ids=lambda cls: cls.__name__)
def test_a_sample_has_the_words_of_its_class(
    contract: Contract, cls: type[errors.GatewayError]
) -> None:
    """What the source writes between the values of its sentence stands in the sample, in order."""
    rest = " ".join(by_reason(contract)[cls.reason].sentence.split())

    for words in fixed_words(cls):
        before, found, rest = rest.partition(words)
        assert found, f"{words!r} is not in the sample after {before[-40:]!r}"


def fixed_words(cls: type[errors.GatewayError]) -> list[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "__init__"
    ]
    sentence = calls[0].args[0] if calls and calls[0].args else None

    if isinstance(sentence, ast.Constant):
        return [" ".join(str(sentence.value).split())]

    if isinstance(sentence, ast.JoinedStr):
        values = [part.value for part in sentence.values if isinstance(part, ast.Constant)]
        return [words for value in values if (words := " ".join(str(value).split()))]

    return []


def test_the_words_are_really_compared() -> None:
    assert fixed_words(errors.InvalidDate) == [
        "Invalid date format '",
        "'. Expected YYYY-MM-DD format.",
    ]
