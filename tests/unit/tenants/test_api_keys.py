"""API keys and credentials: what is accepted, what a digest depends on, what a mask shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidField, WeakApiKey
from server.secret import Secret
from server.tenants import Credentials
from server.tenants.apikeys import KeyHasher, check_api_key, check_credentials, mask, masked

GUIDE = [
    "your_custom_key",
    "your_api_key",
    "YOUR_API_KEY",
    "tenant1_key",
    "tenant2_key",
    "demo-key",
]


@pytest.mark.parametrize("key", [*GUIDE, "a" * 8, "a" * 128, "Az09._~-"])
def test_sound_keys_are_accepted(key: str) -> None:
    check_api_key(Secret(key))


@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        "short-k",
        "a" * 129,
        "a" * 1_000_000,
        "with space",
        "with\nline",
        "with\0nul",
        "trailing-newline\n",
        "müller-key",
        "semi;colon",
        "quote'quote",
        "slash/slash",
        "percent%41",
        "comma,comma",
        "dem…key-mask",
        "١٢٣٤٥٦٧٨",
    ],
)
def test_weak_or_untransportable_keys_are_refused_without_repeating_them(key: str) -> None:
    with pytest.raises(WeakApiKey, match="8 to 128 characters") as caught:
        check_api_key(Secret(key))

    assert len(key) < 8 or key not in str(caught.value)


@pytest.mark.parametrize("field", ["client_secret", "refresh_token"])
@pytest.mark.parametrize("text", ["", " ", "a b", "line\n", "nul\0", "é", "a" * 4097, "tab\t"])
def test_impossible_credentials_are_refused_without_repeating_them(field: str, text: str) -> None:
    given = {"client_secret": Secret("fine"), "refresh_token": Secret("fine"), field: Secret(text)}
    with pytest.raises(InvalidField, match=field) as caught:
        check_credentials(Credentials(**given))

    assert caught.value.field == field
    assert len(text) < 3 or text not in str(caught.value)


def test_credentials_of_any_printable_kind_are_accepted() -> None:
    everything = "".join(chr(code) for code in range(33, 127))
    check_credentials(
        Credentials(client_secret=Secret(everything), refresh_token=Secret("a" * 4096))
    )


@given(st.text(), st.text())
def test_digests_are_equal_exactly_where_keys_are(one: str, two: str) -> None:
    hasher = KeyHasher(b"k" * 32, "production")
    assert (hasher.digest(Secret(one)) == hasher.digest(Secret(two))) == (one == two)


def test_a_digest_depends_on_the_pepper_and_the_environment() -> None:
    key = Secret("demo-key")
    digests = {
        KeyHasher(pepper, environment).digest(key)
        for pepper in (b"k" * 32, b"l" * 32)
        for environment in ("simulator", "sandbox", "production")
    }
    assert len(digests) == 6


@pytest.mark.parametrize(
    ("key", "own", "others"),
    [
        ("demo-key", "dem…key", "d…y"),
        ("tenant1_key", "ten…key", "t…y"),
        ("sixteen-letters_", "six…rs_", "si…s_"),
        ("Zk3JtQ8vWm2cR7yH1xN5bA9pS4dF6gL0", "Zk3…gL0", "Zk3…gL0"),
    ],
)
def test_a_mask_shows_three_at_each_end_and_less_of_a_short_key_to_others(
    key: str, own: str, others: str
) -> None:
    assert mask(key[:3], key[-3:], len(key), own=True) == own
    assert mask(key[:3], key[-3:], len(key), own=False) == others


@given(st.text("abc", min_size=8, max_size=128))
def test_others_never_see_more_than_a_quarter(key: str) -> None:
    shown = mask(key[:3], key[-3:], len(key), own=False)
    assert (len(shown) - 1) * 4 <= len(key)


@pytest.mark.parametrize(
    ("given_key", "shown"), [("short", "…"), ("", "…"), ("demo-key", "dem…key")]
)
def test_a_key_that_was_given_is_repeated_masked(given_key: str, shown: str) -> None:
    assert masked(Secret(given_key)) == shown
