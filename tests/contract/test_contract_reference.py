"""docs/reference/ names every rpc, setting and error, and is what the contract says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.contract import reference
from server.contract.catalog import Contract
from server.contract.error_samples import samples
from server.settings import Settings

PAGES = reference.pages()


def test_the_committed_pages_are_fresh() -> None:
    assert reference.main(["--check"]) == 0, "run make gen"


def test_every_rpc_with_its_route(contract: Contract) -> None:
    for method in contract.methods:
        route = f"`{method.http.verb.upper()} {method.http.path}`" if method.http else "gRPC only"
        rows = [row for row in PAGES["rpcs.md"].splitlines() if f"`{method.name}`" in row]
        assert len(rows) == 1, method.name
        assert route in rows[0]


def test_every_setting_with_its_meaning() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `{field.validation_alias or f'TASTY_{name.upper()}'}` |" in PAGES["settings.md"]
        assert field.description, name
        assert field.description.replace("|", "\\|") in PAGES["settings.md"]


def test_every_error_with_its_status(contract: Contract) -> None:
    for sample in samples(contract):
        reason = sample.reason.removeprefix("ERROR_REASON_")
        assert f"| {sample.status} | `{reason}` |" in PAGES["errors.md"]


def test_a_secret_default_is_not_shown() -> None:
    secret = [
        row
        for row in PAGES["settings.md"].splitlines()
        if row.startswith(("| `TASTY_PEPPER`", "| `TASTY_MASTER_KEY`", "| `TASTY_ADMIN_KEY`"))
    ]
    assert [row.split("|")[2].strip() for row in secret] == ["", "", ""]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_stale_or_missing_page_is_told_and_written_anew(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference.main([], folder=tmp_path)
    (tmp_path / name).write_text("old")
    assert reference.main(["--check"], folder=tmp_path) == 1
    assert name in capsys.readouterr().err
    (tmp_path / name).unlink()
    assert reference.main(["--check"], folder=tmp_path) == 1
    reference.main([], folder=tmp_path)
    assert reference.main(["--check"], folder=tmp_path) == 0
