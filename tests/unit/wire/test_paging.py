"""Pages cover a list exactly, whatever is added in front meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidField
from server.wire.paging import page_of


@given(count=st.integers(0, 40), size=st.integers(1, 15), newer=st.integers(0, 3))
def test_pages_cover_the_list_once(count: int, size: int, newer: int) -> None:
    items = [str(number) for number in range(count)]
    seen: list[str] = []
    token = ""
    while True:
        page = page_of(items, size, token, str)
        seen += page.items
        token = page.next_token
        if not token:
            break

        items = [f"new-{len(items)}-{i}" for i in range(newer)] + items

    assert seen == [str(number) for number in range(count)]


def test_without_a_size_all_come() -> None:
    page = page_of(["a", "b"], None, "", str)
    assert list(page.items) == ["a", "b"]
    assert page.next_token == ""


@pytest.mark.parametrize("token", ["nonsense", "!", "AAAA", "%%%", "é"])
def test_a_token_of_nowhere_is_refused(token: str) -> None:
    with pytest.raises(InvalidField, match="page_token"):
        page_of(["a", "b"], 1, token, str)
