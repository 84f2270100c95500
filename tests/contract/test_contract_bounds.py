"""Every field of every request has a bound, and is held to it at its edge."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from google.protobuf.descriptor import FieldDescriptor
from tasty.v1.field_rule_pb2 import FORMAT_DATE, FORMAT_UNSPECIFIED

from server.contract.catalog import Contract, Method, rule_of
from server.contract.field_checks import pattern_of
from server.contract.validation import validate
from server.errors import BadInput, InvalidDate, InvalidField, TooManyGiven, WeakApiKey
from tests.bounds import PLACES, TEXTS, Place, places, request_with, request_with_list, text_of

EXACT = 1e15
"""Beyond it not every whole number is a double's shortest text."""
NUMBERS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_INT32)
BOUND_BY_TYPE = (FieldDescriptor.CPPTYPE_BOOL, FieldDescriptor.CPPTYPE_ENUM)
PORTABLE = re.compile(
    r"""(?: \[\^?(?: \\x[0-9a-f]{2} | [^\\\[\]] )+\]   # a class
          | \{\d+(?:,\d*)?\} | [()|*+?]                  # repetition, groups, alternatives
          | [^\\\[\](){}|*+?.^$]                          # a character that means itself
        )*""",
    re.VERBOSE,
)
"""What RE2, ECMAScript and Python understand alike: no classes by name (`\\d` is any script's digit
in Python), nothing that looks around or back, no anchors, and no dot (it stops at line ends)."""
SECRETS = re.compile(r"secret|refresh_token|api_key|^code$")

STRINGS = [place for place in PLACES if place.field.cpp_type == FieldDescriptor.CPPTYPE_STRING]
LISTS = [place for place in PLACES if place.field.is_repeated]
RANGES = [place for place in PLACES if place.field.cpp_type in NUMBERS]


def unbounded(method: Method) -> list[str]:
    return [str(place) for place in places(method) if not is_bounded(place.field)]


def is_bounded(field: FieldDescriptor) -> bool:
    rule = rule_of(field)
    if field.is_repeated and not rule.max_items > 0:
        return False
    if field.message_type is not None:
        return not field.message_type.GetOptions().map_entry  # its own fields are asked for too
    if field.cpp_type in BOUND_BY_TYPE:
        return True
    if field.cpp_type in NUMBERS:
        least = rule.HasField("minimum") or rule.HasField("above")
        return bool(least and rule.HasField("maximum") and rule.maximum <= EXACT)
    if field.type != FieldDescriptor.TYPE_STRING:
        return False

    pattern, longest = pattern_of(rule)
    return bool(rule.values) or bool(pattern and longest)


def test_no_field_of_any_request_is_without_a_bound(contract: Contract) -> None:
    assert [name for method in contract.methods for name in unbounded(method)] == []


def test_there_is_much_to_bound() -> None:
    assert len(TEXTS) > 60
    assert len(LISTS) >= 15
    assert len(RANGES) > 25


@pytest.mark.parametrize("place", STRINGS, ids=str)
def test_a_pattern_means_the_same_everywhere_and_has_words(place: Place) -> None:
    rule = rule_of(place.field)
    assert PORTABLE.fullmatch(rule.pattern), rule.pattern
    re.compile(rule.pattern)
    # A format has its own sentence; everything else says in words what it expects.
    assert bool(rule.expected) == bool(rule.pattern)
    assert not (rule.pattern and rule.format != FORMAT_UNSPECIFIED)


def test_what_has_one_name_has_one_rule() -> None:
    """So that nobody can send in one place what another refuses."""
    found: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for place in STRINGS:
        if place.field.name in ("account_id", "order_id", "page_token", "client_order_id", "name"):
            rule = rule_of(place.field)
            found[place.field.name].add((rule.pattern, rule.max_length))

    assert {name: rules for name, rules in found.items() if len(rules) > 1} == {}
    assert len(found) == 5


@pytest.mark.parametrize("place", STRINGS, ids=str)
def test_secrets_are_marked(place: Place) -> None:
    assert rule_of(place.field).secret == bool(SECRETS.search(place.field.name))


@pytest.mark.parametrize("place", TEXTS, ids=str)
def test_a_text_at_its_largest_length_and_one_more(place: Place) -> None:
    _, longest = pattern_of(rule_of(place.field))
    assert longest is not None
    largest = text_of(place.field, longest)
    if largest is not None:  # a date has no other form than its own
        try:
            validate(request_with(place, largest))
        except InvalidDate:
            assert rule_of(place.field).format == FORMAT_DATE

    more = largest + largest[-1] if largest else "7" * (longest + 1)
    with pytest.raises((InvalidField, InvalidDate, WeakApiKey)) as refused:
        validate(request_with(place, more))

    assert refused.value.field == place.name
    if longest > 80:
        assert more not in str(refused.value)


@pytest.mark.parametrize("place", TEXTS, ids=str)
@pytest.mark.parametrize("odd", ["\x00", "7\x00", "7\x1b[2J", "7\x7f", "7\x9f"])
def test_no_text_has_control_characters(place: Place, odd: str) -> None:
    spared = place.field.full_name == "tasty.v1.ChatMessage.content"  # our own answer comes back
    if spared and "\x00" not in odd:
        validate(request_with(place, odd))
        return

    with pytest.raises((InvalidField, InvalidDate, WeakApiKey)) as refused:
        validate(request_with(place, odd))

    assert refused.value.field == place.name
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("place", TEXTS, ids=str)
def test_only_free_text_has_line_breaks(place: Place) -> None:
    if place.field.name in ("message", "content"):
        validate(request_with(place, "two\nlines"))
        return

    for text in ("7\n", "\n7", "7\r\n7", "7\t7"):
        with pytest.raises((InvalidField, InvalidDate, WeakApiKey)):
            validate(request_with(place, text))


@pytest.mark.parametrize("place", RANGES, ids=str)
def test_a_number_at_its_bounds_and_beyond(place: Place) -> None:
    rule = rule_of(place.field)
    whole = place.field.cpp_type == FieldDescriptor.CPPTYPE_INT32
    kind, step = (int, 1) if whole else (float, 0.5)
    validate(request_with(place, kind(rule.maximum)))
    wrong = [] if whole and rule.maximum >= 2**31 - 1 else [kind(rule.maximum + step)]
    if rule.HasField("minimum"):
        validate(request_with(place, kind(rule.minimum)))
        wrong += [] if whole and rule.minimum <= -(2**31) else [kind(rule.minimum - step)]
    else:
        wrong.append(kind(rule.above))

    if not whole:
        wrong += [float("nan"), float("inf"), float("-inf"), 1e-300]

    for value in wrong:
        with pytest.raises(BadInput) as refused:
            validate(request_with(place, value))

        assert refused.value.field == place.name


@pytest.mark.parametrize("place", LISTS, ids=str)
def test_a_list_at_its_largest_and_one_more(place: Place) -> None:
    most = rule_of(place.field).max_items
    validate(request_with_list(place, most))
    with pytest.raises(TooManyGiven, match=f"{most + 1} given, {most} allowed"):
        validate(request_with_list(place, most + 1))
