"""`python -m server keys`: what the operator reads and gets as exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials, Tenants
from server.tenants.keyfile import new_key
from tests.clock import ManualClock
from tests.command_line import Said, in_this_process


def run(command: str, folder: Path, **variables: str) -> Said:
    return in_this_process("keys", command, TASTY_DATA_DIR=str(folder), **variables)


async def fill(folder: Path) -> None:
    async with Tenants(Settings(data_dir=folder, broker="production"), ManualClock()) as tenants:
        for n in range(3):
            secrets = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
            await tenants.save(Secret(f"tenant-key-{n}"), secrets)


def test_status_and_rotate_say_what_is_in_use(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    before = run("status", tmp_path)
    assert before.code == 0
    assert f"master keys ({tmp_path}/master.key):" in before.out
    assert "3 tenants  seals and opens" in before.out
    after = run("rotate", tmp_path)
    assert after.code == 0
    assert "3 tenants  seals and opens" in after.out
    assert after.out != before.out  # another key's id
    assert run("status", tmp_path).out == after.out
    assert (tmp_path / "master.key").read_text().strip() not in after.out


def test_a_lost_key_is_told_with_the_remedy(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    other = run("status", tmp_path, TASTY_MASTER_KEY=new_key())
    assert other.code == 1
    assert "0 tenants  seals and opens" in other.out
    assert "3 tenants  not configured" in other.out
    assert "3 tenants' credentials cannot be read" in other.out


def test_what_only_the_operator_can_mend_is_a_sentence(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    wrong = run("rotate", tmp_path, TASTY_MASTER_KEY="hunter2")
    assert wrong.code == 3
    assert "TASTY_MASTER_KEY must hold base64 of 32 bytes" in wrong.err
    assert "hunter2" not in wrong.out + wrong.err
