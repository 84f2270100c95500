"""Pepper and master keys: made once, private, and never silently replaced."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.settings import Settings
from server.tenants.keyfile import KeysUnusable, decode_key, load_or_make, new_key, write_private
from server.tenants.keyring import KEY_FILE, Keyring
from server.tenants.pepper import PEPPER_FILE, Pepper


def test_a_new_file_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "made" / "a.key"
    text = load_or_make(path, make=True, needed_by="nothing")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(decode_key(text, "it")) == 32
    assert load_or_make(path, make=True, needed_by="nothing") == text
    assert [one.name for one in path.parent.iterdir()] == ["a.key"]  # no draft is left


def test_many_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    with ThreadPoolExecutor(16) as pool:
        made = pool.map(lambda _: load_or_make(path, make=True, needed_by=""), range(64))

    assert len(set(made)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_open_to_others_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    load_or_make(path, make=True, needed_by="nothing")
    path.chmod(mode)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        load_or_make(path, make=True, needed_by="nothing")


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", base64.b64encode(bytes(31)).decode(), "!"])
def test_what_is_no_key_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    settings = Settings(data_dir=tmp_path, pepper=SecretStr(text or " "))
    with pytest.raises(KeysUnusable, match="TASTY_PEPPER must hold base64 of 32 bytes") as caught:
        Pepper.load(settings, make=True)

    assert len(text) < 5 or text not in str(caught.value)


def test_both_alphabets_of_base64_mean_the_same() -> None:
    key = bytes(range(224, 256))
    assert decode_key(base64.urlsafe_b64encode(key).decode(), "it") == key
    assert decode_key(base64.b64encode(key).decode() + "\n", "it") == key


def test_the_master_key_setting_is_a_list_newest_first(tmp_path: Path) -> None:
    one, two = new_key(), new_key()
    first = Keyring.load(Settings(data_dir=tmp_path, master_key=SecretStr(one)), make=True)
    both = Keyring.load(
        Settings(data_dir=tmp_path, master_key=SecretStr(f"{two}, {one}")), make=True
    )
    assert both.ids[1:] == first.ids
    assert both.newest.id != first.newest.id
    assert not list(tmp_path.iterdir())  # no file where the setting says it all
    with pytest.raises(KeysUnusable, match="TASTY_MASTER_KEY"):
        both.add()


def test_a_changed_file_is_seen_and_old_keys_still_open(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    ours = Keyring.load(settings, make=True)
    theirs = Keyring.load(settings, make=False)
    old = ours.newest.id
    new = theirs.add().id
    assert ours.newest.id == old
    assert ours.find(new) is not None  # an unknown id is what makes it look
    assert ours.ids == (new, old)
    theirs.retire()
    ours.refresh()
    assert ours.ids == (new,)
    assert ours.find(old) is not None
    assert Keyring.load(settings, make=False).find(old) is None
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    text = load_or_make(path, make=True, needed_by="nothing")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "half a line \N{SNOWMAN}")

    assert path.read_text() == text
    assert [one.name for one in tmp_path.iterdir()] == ["a.key"]


@pytest.mark.parametrize("name", [PEPPER_FILE, KEY_FILE])
def test_a_lost_file_is_not_replaced(tmp_path: Path, name: str) -> None:
    load = Pepper.load if name == PEPPER_FILE else Keyring.load
    with pytest.raises(KeysUnusable, match="restore it from a backup"):
        load(Settings(data_dir=tmp_path), make=False)

    assert not list(tmp_path.iterdir())
