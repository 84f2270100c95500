"""Everything in the contract is documented, in words that say more than its name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from server.contract.catalog import PACKAGE, Contract


def names(contract: Contract) -> Iterator[str]:
    for file in contract.files.file:
        if file.package != PACKAGE:
            continue

        for service in file.service:
            yield f"{PACKAGE}.{service.name}"
            yield from (f"{PACKAGE}.{service.name}.{method.name}" for method in service.method)

        for message in file.message_type:
            assert not [one for one in message.nested_type if not one.options.map_entry]
            yield f"{PACKAGE}.{message.name}"
            yield from (f"{PACKAGE}.{message.name}.{field.name}" for field in message.field)

        for enum in file.enum_type:
            yield f"{PACKAGE}.{enum.name}"
            yield from (f"{PACKAGE}.{enum.name}.{value.name}" for value in enum.value)


def test_everything_has_a_comment(contract: Contract) -> None:
    assert [name for name in names(contract) if not contract.comment(name)] == []


def test_comments_are_sentences_that_say_more_than_the_name(contract: Contract) -> None:
    lazy = []

    for name in names(contract):
        words = set(re.findall(r"[a-z]+", contract.comment(name).lower()))
        own = set(
            re.findall(r"[a-z]+", re.sub(r"(?<!^)(?=[A-Z])", " ", name.split(".")[-1]).lower())
        )

        if not contract.comment(name).rstrip(")").endswith((".", "?")) and "Sample: " not in name:
            lazy.append(name)

        if len(words - own - {"the", "a", "an", "of", "is", "this"}) < 1:
            lazy.append(name)

    # A sample of an error stands last in its comment, and the guide's have no full stop.
    assert [name for name in lazy if ".ErrorReason." not in name] == []


def test_every_default_in_the_rules_is_told_in_the_prose(contract: Contract) -> None:
    from server.contract.catalog import rule_of

    silent = []

    for method in contract.methods:
        for field in method.request.fields:
            default = rule_of(field).default.strip('"[]')

            if default and default not in contract.comment(field.full_name):
                silent.append(field.full_name)

    assert silent == []


def test_inner_spaces_of_a_comment_survive(contract: Contract) -> None:
    """An OCC symbol is padded with spaces: joined lines must not swallow them."""
    assert "SPY   251219P00685000" in contract.comment("tasty.v1.Instrument.symbol")


@pytest.mark.parametrize("part", ["tasty.v1.Nothing", "tasty.v1.Order.nothing"])
def test_what_does_not_exist_has_no_comment(contract: Contract, part: str) -> None:
    assert contract.comment(part) == ""


def test_files_are_short(contract: Contract) -> None:
    from server.contract.protos import PROTO

    long = {
        path.name
        for path in (PROTO / "tasty").rglob("*.proto")
        if len(path.read_text().splitlines()) > 300
    }
    # The list of reasons is one enum, which cannot be cut in two.
    assert long - {"error_reason.proto"} == set()
