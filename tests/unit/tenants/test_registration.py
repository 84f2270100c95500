"""Keys that may be registered, and servers that may be started."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from server.cli import main
from server.errors import InvalidField, Misconfigured, PrintedApiKey
from server.registration import check_registration
from server.secret import Secret
from server.settings import Settings
from server.supervisor.banner import banner
from server.tenants import Credentials, Tenants, generate_api_key
from server.tenants.apikeys import check_api_key, check_credentials
from server.tenants.printed import is_printed_key
from tests.clock import ManualClock

HOME = Path(__file__).parents[3]
NAMED = re.compile(r'"api_key"\s*:\s*"([A-Za-z0-9._~-]{8,})"')
SENT = re.compile(r"X-API-Key: ([A-Za-z0-9._~-]{8,})", re.IGNORECASE)
OF_OUR_OWN = {"TASTY_API_KEY"}
"""What stands for a key in a shell, where none is printed."""


def printed() -> set[str]:
    """Returns every API key that a reader of ours finds written out."""
    real = Settings(broker="production", admin_key=SecretStr("a" * 16))
    texts = [
        (HOME / "README.md").read_text(),
        (HOME / "gen" / "openapi.json").read_text(),
        *(path.read_text() for path in (HOME / "tests/contract/guide").glob("*.json")),
        *(path.read_text() for path in (HOME / "envoy/pages").rglob("*.html")),
        banner(real, url="http://u", grpc="g", logs=Path("l")),
        banner(Settings(), url="http://u", grpc="g", logs=Path("l")),
    ]
    return {key for text in texts for form in (NAMED, SENT) for key in form.findall(text)}


def test_every_key_that_we_print_is_refused_with_a_real_broker() -> None:
    guide = {"your_custom_key", "your_api_key", "YOUR_API_KEY", "tenant1_key", "tenant2_key"}
    found = printed() | guide
    assert {"demo-key", "your_custom_key", "a-long-random-text"} <= found
    for key in found - OF_OUR_OWN:
        check_api_key(Secret(key))
        with pytest.raises(PrintedApiKey, match="Omit api_key to be given a random one"):
            check_api_key(Secret(key), real=True)


@pytest.mark.parametrize("key", ["Your-Custom-Key", "DEMO-KEY", "demo_key", "tenant1-key"])
def test_another_spelling_is_the_same_key_to_who_guesses(key: str) -> None:
    assert is_printed_key(key)


@pytest.mark.parametrize("key", ["demo-key-of-mine", "yours_truly", "a-key-of-my-own"])
def test_a_key_of_ones_own_is_none_of_those(key: str) -> None:
    check_api_key(Secret(key), real=True)


@pytest.mark.parametrize(
    ("client_secret", "refresh_token", "field"),
    [
        ("your_tastytrade_client_secret", "t", "client_secret"),
        ("s", "your_tastytrade_refresh_token", "refresh_token"),
        ("your_client_secret_from_step_1", "t", "client_secret"),
        ("s", "your_refresh_token_from_step_2", "refresh_token"),
        ("YOUR_CLIENT_SECRET", "t", "client_secret"),
        ("s", "YOUR_NEW_REFRESH_TOKEN", "refresh_token"),
        ("tenant1_secret", "t", "client_secret"),
        ("s", "tenant2_token", "refresh_token"),
        ("...", "t", "client_secret"),
        ("s", "demo-refresh-token", "refresh_token"),
    ],
)
def test_placeholders_of_the_guide_are_no_secrets_of_a_real_broker(
    client_secret: str, refresh_token: str, field: str
) -> None:
    given = Credentials(client_secret=Secret(client_secret), refresh_token=Secret(refresh_token))
    check_credentials(given)
    with pytest.raises(InvalidField, match=f"Invalid {field}.*not the documentation's placeholder"):
        check_credentials(given, real=True)


async def test_a_refused_key_leaves_nothing_behind(
    database_settings: Settings, clock: ManualClock
) -> None:
    given = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"))
    async with Tenants(database_settings, clock) as tenants:
        with pytest.raises(PrintedApiKey):
            await tenants.save(Secret("your_custom_key"), given, admin=True)

        assert tenants.statistics().tenants == 0


def test_generated_keys_are_long_and_never_the_same() -> None:
    keys = {generate_api_key().reveal() for _ in range(100)}
    assert len(keys) == 100
    for key in keys:
        assert re.fullmatch(r"tasty_[A-Za-z0-9_-]{43}", key)
        check_api_key(Secret(key), real=True)


OPEN, KEPT = {"registration": "open"}, {"admin_key": SecretStr("a" * 16)}
OUTSIDE = {"broker": "production", "host": "0.0.0.0"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"host": "0.0.0.0"},
        {"broker": "production"},
        {"broker": "sandbox", "host": "localhost"},
        {"broker": "production", "host": "::1"},
        OUTSIDE | OPEN,
        OUTSIDE | KEPT,
        OUTSIDE | {"registration": "closed"},
        {"admin_key": SecretStr("short"), "host": "0.0.0.0"},
    ],
)
def test_what_may_start(settings: dict[str, object]) -> None:
    check_registration(Settings(**settings))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (OUTSIDE, "TASTY_REGISTRATION=open"),
        (OUTSIDE | {"broker": "sandbox"}, "TASTY_ADMIN_KEY"),
        (OUTSIDE | {"host": "::"}, "TASTY_ADMIN_KEY"),
        (OUTSIDE | {"host": "gateway.example.com"}, "TASTY_ADMIN_KEY"),
        (OUTSIDE | {"admin_key": SecretStr("a" * 15)}, "at least 16 characters"),
        ({"broker": "production", "admin_key": SecretStr("short")}, "at least 16 characters"),
        (OUTSIDE | OPEN | {"admin_key": SecretStr("short")}, "at least 16 characters"),
    ],
)
def test_what_may_not_start(settings: dict[str, object], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        check_registration(Settings(**settings))


@pytest.mark.parametrize(("command", "code"), [("serve", 1), ("up", 2)])
def test_the_programs_say_so_and_open_nothing(command: str, code: int, tmp_path: Path) -> None:
    environment = {
        "TASTY_BROKER": "production",
        "TASTY_HOST": "0.0.0.0",
        "TASTY_DATA_DIR": str(tmp_path / "data"),
        "TASTY_ADMIN_KEY": "",
    }
    done = CliRunner().invoke(main, [command], env=environment)
    assert done.exit_code == code
    assert "TASTY_REGISTRATION=open" in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (tmp_path / "data").exists()
    assert json.dumps(done.output).count("Error") == 1
