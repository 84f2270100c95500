"""Canaries: secrets that are looked for everywhere they could have gone."""

from __future__ import annotations

import base64
import logging
import pickle
import subprocess
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.errors import (
    ApiKeyNotFound,
    ApiKeyTaken,
    CredentialsUnreadable,
    GatewayError,
    InvalidApiKey,
    InvalidField,
    WeakApiKey,
)
from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials, Tenants
from server.tenants.keyfile import new_key
from server.tenants.rotation import rotate_master_key
from tests.clock import ManualClock
from tests.databases import begun
from tests.planted import hits

KEY = "canary-key-Zk3JtQ8vWm2cR7yH1xN5b"
CLIENT_SECRET = "canary-client-secret-A9pS4dF6gL0"
REFRESH_TOKEN = "canary-refresh-token-eYjq7TnB2wVx"
WRONG_KEY = "canary-wrong-key-P1oI2uY3tR4e"


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of each file, read by processes of their own.

    Closing a SQLite file that is open in this process would drop SQLite's locks on it.
    """
    return {
        path.name: subprocess.run(["cat", path], capture_output=True, check=True).stdout
        for path in folder.iterdir()
    }


def test_the_search_finds_what_is_there() -> None:
    assert hits(b"x " + base64.b64encode(KEY.encode()), KEY)
    assert not hits(b"nothing", KEY, CLIENT_SECRET)


async def test_secrets_are_in_no_file_no_log_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "aiosqlite", "alembic"):
        caplog.set_level(logging.DEBUG, name)

    master, pepper = new_key(), new_key()
    settings = Settings(
        broker="production",
        data_dir=tmp_path,
        master_key=SecretStr(f"{new_key()},{master}"),
        pepper=SecretStr(pepper),
    )
    given = Credentials(client_secret=Secret(CLIENT_SECRET), refresh_token=Secret(REFRESH_TOKEN))
    errors: list[BaseException] = []
    shown: list[object] = [settings, given]
    async with Tenants(await begun(settings), ManualClock()) as tenants:

        async def fail(_tenant_id: str) -> None:
            raise RuntimeError("a listener broke")

        tenants.on_change(fail)
        tenant = await tenants.save(Secret(KEY), given)
        found = await tenants.credentials(await tenants.authenticate(Secret(KEY)))
        assert found.refresh_token.reveal() == REFRESH_TOKEN
        shown += [tenant, found, await tenants.list(tenant), tenants.statistics(), vars(tenants)]
        spoilt = Credentials(client_secret=Secret(CLIENT_SECRET + " "), refresh_token=Secret("x"))
        for refused, kind in (
            (tenants.authenticate(Secret(WRONG_KEY)), InvalidApiKey),
            (tenants.delete(Secret(WRONG_KEY), tenant), ApiKeyTaken),
            (tenants.delete(Secret(WRONG_KEY), None, admin=True), ApiKeyNotFound),
            (tenants.save(Secret(WRONG_KEY + "!"), given), WeakApiKey),
            (tenants.save(Secret(WRONG_KEY), spoilt), InvalidField),
        ):
            with pytest.raises(kind) as caught:
                await refused

            errors.append(caught.value)

        await rotate_master_key(settings)
        await tenants.save(Secret(KEY), given)
        await tenants.credentials(tenant)
        # While it is open: the write-ahead log and its index are files too.
        files = contents(tmp_path)
        assert {"tasty.db", "tasty.db-wal"} <= files.keys()

    other = settings.model_copy(update={"master_key": SecretStr(new_key())})
    async with Tenants(other, ManualClock()) as tenants:
        with pytest.raises(CredentialsUnreadable) as unreadable:
            await tenants.credentials(tenant)

        errors.append(unreadable.value)

    files["closed"] = contents(tmp_path)["tasty.db"]
    everything = (KEY, CLIENT_SECRET, REFRESH_TOKEN, WRONG_KEY, master, pepper)
    for name, content in files.items():
        assert not hits(content, *everything), name

    assert "aiosqlite" in {record.name for record in caplog.records}  # DEBUG really was on
    records = [(record.getMessage(), record.exc_text, record.args) for record in caplog.records]
    assert not hits(f"{caplog.text}{records}".encode(), *everything)
    for error in errors:
        text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        # The test's own line is in the trace, and says WRONG_KEY, not what it holds.
        assert not hits(text.encode(), *everything)
        if isinstance(error, GatewayError):
            assert not hits(repr(error.metadata).encode(), *everything)

    assert not hits(repr(shown).encode(), *everything)


def test_credentials_cannot_be_pickled() -> None:
    given = Credentials(client_secret=Secret(CLIENT_SECRET), refresh_token=Secret(REFRESH_TOKEN))
    with pytest.raises(TypeError, match="does not leave its process"):
        pickle.dumps(given)
