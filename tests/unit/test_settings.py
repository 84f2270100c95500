"""The settings as an environment gives them: empty is unset, and halves are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from server.settings import HOME, Settings, default_data_dir, misspelt


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings().model_dump()
    texts = {name for name, value in before.items() if isinstance(value, (str, SecretStr))}
    for name in {*before} - texts | {"log_level", "broker"}:
        monkeypatch.setenv(f"TASTY_{name.upper()}", "")

    assert Settings().model_dump() == before


def test_what_may_be_empty_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTY_CHAT_EFFORT", "")
    assert Settings().chat_effort == ""


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_half_of_tls_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "half.pem"
    file.write_text("")
    with pytest.raises(ValidationError, match="go together"):
        Settings.model_validate({name: file})


def test_a_name_that_is_nearly_a_setting_is_noticed() -> None:
    environment = ["PATH", "TASTY_EDGE_PORT", "tasty_log_level", "TASTY_EDGE_PROT", "TASTY_ZZ"]
    assert misspelt(environment) == {"TASTY_EDGE_PROT": "TASTY_EDGE_PORT", "TASTY_ZZ": ""}


def test_the_data_folder_is_the_checkouts_from_wherever_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TASTY_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Settings().data_dir == HOME / "var"
    assert (HOME / "pyproject.toml").exists()
    monkeypatch.setenv("TASTY_DATA_DIR", "mine")
    assert Settings().data_dir.absolute() == tmp_path / "mine"


def test_the_data_folder_of_an_installed_package_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_data_dir(tmp_path) == tmp_path / "state" / "tasty-gateway"
    for name in ("", "relative"):  # which is to be ignored
        monkeypatch.setenv("XDG_STATE_HOME", name)
        assert default_data_dir(tmp_path) == Path("/home/someone/.local/state/tasty-gateway")
