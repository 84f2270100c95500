"""`python -m server keys`: what the operator reads and gets as exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from server.cli import main
from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials, Tenants
from server.tenants.keyfile import new_key
from tests.clock import ManualClock


def run(command: str, folder: Path, **environment: str) -> Result:
    runner = CliRunner()
    environment = {"TASTY_DATA_DIR": str(folder), **environment}
    return runner.invoke(main, ["keys", command], env=environment)


async def fill(folder: Path) -> None:
    async with Tenants(Settings(data_dir=folder, broker="production"), ManualClock()) as tenants:
        for n in range(3):
            secrets = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
            await tenants.save(Secret(f"tenant-key-{n}"), secrets)


def test_status_and_rotate_say_what_is_in_use(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    before = run("status", tmp_path)
    assert before.exit_code == 0
    assert f"master keys ({tmp_path}/master.key):" in before.output
    assert "3 tenants  seals and opens" in before.output
    after = run("rotate", tmp_path)
    assert after.exit_code == 0
    assert "3 tenants  seals and opens" in after.output
    assert after.output != before.output  # another key's id
    assert run("status", tmp_path).output == after.output
    assert (tmp_path / "master.key").read_text().strip() not in after.output


def test_a_lost_key_is_told_with_the_remedy(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    other = run("status", tmp_path, TASTY_MASTER_KEY=new_key())
    assert other.exit_code == 1
    assert "0 tenants  seals and opens" in other.output
    assert "3 tenants  not configured" in other.output
    assert "3 tenants' credentials cannot be read" in other.output


def test_what_only_the_operator_can_mend_is_a_sentence(tmp_path: Path) -> None:
    wrong = run("rotate", tmp_path, TASTY_MASTER_KEY="hunter2")
    assert wrong.exit_code == 1
    assert "TASTY_MASTER_KEY must hold base64 of 32 bytes" in wrong.output
    assert "hunter2" not in wrong.output
