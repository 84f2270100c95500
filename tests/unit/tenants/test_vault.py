"""The vault: a secret opens where it was put and nowhere else."""

from __future__ import annotations

import base64
import pickle
import secrets
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from server.settings import Settings
from server.tenants.keyring import Keyring
from server.tenants.vault import Envelope, Place, Unopenable, Vault

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in range(3)]
PLACE = Place(owner="a", version=1)
PURPOSES = st.sampled_from(["credentials", "hint"])
PLACES = st.builds(
    Place, owner=st.text("abcdef0123456789", min_size=1), version=st.integers(0, 2**62)
)


def vault(*keys: str) -> Vault:
    given = SecretStr(",".join(keys or KEYS[:1]))
    return Vault(Keyring.load(Settings(master_key=given), make=False))


@given(place=PLACES, secret=st.binary(max_size=5000), purpose=PURPOSES)
def test_what_was_sealed_opens_in_its_place(place: Place, secret: bytes, purpose: str) -> None:
    envelope = vault().seal(place, {purpose: secret})
    assert vault().open(envelope, place, purpose) == secret


@given(place=PLACES, secret=st.binary(min_size=4, max_size=99))
def test_it_is_not_in_the_envelope_and_no_two_are_alike(place: Place, secret: bytes) -> None:
    one, two = (vault().seal(place, {"credentials": secret}) for _ in range(2))
    assert secret not in one.sealed["credentials"]
    assert one.sealed["credentials"] != two.sealed["credentials"]
    assert one.wrapped_key != two.wrapped_key


@given(place=PLACES, other=PLACES)
def test_it_opens_for_no_other_owner_or_version(place: Place, other: Place) -> None:
    assume(place != other)
    envelope = vault().seal(place, {"credentials": b"secret"})
    with pytest.raises(Unopenable):
        vault().open(envelope, other, "credentials")


@given(data=st.data(), secret=st.binary(max_size=200))
def test_one_flipped_bit_anywhere_is_refused(data: st.DataObject, secret: bytes) -> None:
    envelope = vault().seal(PLACE, {"credentials": secret})
    part = data.draw(st.sampled_from(["wrapped_key", "sealed"]))
    before = envelope.wrapped_key if part == "wrapped_key" else envelope.sealed["credentials"]
    bit = data.draw(st.integers(0, len(before) * 8 - 1))
    flipped = bytearray(before)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unopenable):
        vault().open(altered(envelope, part, bytes(flipped)), PLACE, "credentials")


@given(data=st.data())
def test_cut_or_lengthened_is_refused(data: st.DataObject) -> None:
    envelope = vault().seal(PLACE, {"credentials": b"secret"})
    part = data.draw(st.sampled_from(["wrapped_key", "sealed"]))
    before = envelope.wrapped_key if part == "wrapped_key" else envelope.sealed["credentials"]
    cut = before[: data.draw(st.integers(0, len(before) - 1))]
    for wrong in (cut, before + b"\0"):
        with pytest.raises(Unopenable):
            vault().open(altered(envelope, part, wrong), PLACE, "credentials")


def test_purposes_of_one_envelope_cannot_be_exchanged() -> None:
    envelope = vault().seal(PLACE, {"credentials": b"secret", "hint": b"dem"})
    swapped = {"credentials": envelope.sealed["hint"], "hint": envelope.sealed["credentials"]}
    for purpose in swapped:
        with pytest.raises(Unopenable):
            vault().open(replace(envelope, sealed=swapped), PLACE, purpose)


def test_a_wrapped_key_of_another_envelope_of_the_same_place_opens_nothing() -> None:
    one, two = (vault().seal(PLACE, {"credentials": b"secret"}) for _ in range(2))
    with pytest.raises(Unopenable):
        vault().open(replace(one, wrapped_key=two.wrapped_key), PLACE, "credentials")


def test_another_master_key_opens_nothing_and_an_unknown_one_is_named_as_such() -> None:
    envelope = vault(KEYS[0]).seal(PLACE, {"credentials": b"secret"})
    with pytest.raises(Unopenable, match="not configured"):
        vault(KEYS[1]).open(envelope, PLACE, "credentials")

    # Claiming another key's id is not enough either.
    other = vault(KEYS[1]).seal(PLACE, {}).master_key_id
    with pytest.raises(Unopenable):
        vault(*KEYS).open(replace(envelope, master_key_id=other), PLACE, "credentials")


def test_the_first_key_seals_and_every_key_opens_in_any_order() -> None:
    old = vault(KEYS[0]).seal(PLACE, {"credentials": b"old"})
    both = vault(KEYS[1], KEYS[0])
    new = both.seal(PLACE, {"credentials": b"new"})
    assert vault(KEYS[1]).open(new, PLACE, "credentials") == b"new"
    for keys in (KEYS[:2], KEYS[1::-1]):
        assert vault(*keys).open(old, PLACE, "credentials") == b"old"


@given(place=PLACES, secret=st.binary(max_size=99))
def test_rewrapping_moves_only_the_wrapping(place: Place, secret: bytes) -> None:
    before = vault(KEYS[0]).seal(place, {"credentials": secret})
    after = vault(KEYS[1], KEYS[0]).rewrap(before, place)
    assert after.sealed == before.sealed
    assert vault(KEYS[1]).open(after, place, "credentials") == secret
    with pytest.raises(Unopenable):
        vault(KEYS[0]).open(after, place, "credentials")


def test_rewrapping_does_not_move_an_envelope_to_another_place() -> None:
    envelope = vault().seal(PLACE, {"credentials": b"secret"})
    with pytest.raises(Unopenable):
        vault().rewrap(envelope, Place(owner="b", version=1))


def test_a_place_that_could_be_read_as_another_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Place(owner="a\0", version=1).bound_to("credentials")


def test_keys_and_envelopes_do_not_show_themselves() -> None:
    key = secrets.token_bytes(32)
    text = base64.b64encode(key).decode()
    keyring = Keyring.load(Settings(master_key=SecretStr(text)), make=False)
    shown = f"{keyring!r} {keyring.newest!r} {vars(keyring)}"
    assert text not in shown
    assert repr(key) not in shown
    assert key.hex() not in shown
    assert "sealed" not in repr(vault().seal(PLACE, {"credentials": b"x"}))
    for thing in (keyring, keyring.newest):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


def altered(envelope: Envelope, part: str, value: bytes) -> Envelope:
    if part == "wrapped_key":
        return replace(envelope, wrapped_key=value)

    return replace(envelope, sealed={"credentials": value})
