"""The credentials routes, served: tenants side by side, and what each of them may do."""

from __future__ import annotations

import base64
import io
import logging
import subprocess
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from prometheus_client import generate_latest
from pydantic import SecretStr
from tasty.v1 import account_service_pb2
from tasty.v1 import credentials_service_pb2 as pb
from tasty.v1.credentials_service_pb2_grpc import CredentialsServiceStub

from server import logs
from server.settings import Settings
from server.simulator import Simulator, SimulatorSettings
from tests.broker import DEMO_ACCOUNT
from tests.front import code_of, info_of
from tests.gateway import Gateway, open_gateway

SAVED = "Credentials saved successfully. Existing sessions and agents cleared."
DELETED = "Credentials deleted. Existing sessions and agents cleared."


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.fixture
async def gateway(sim: Simulator, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(sim, tmp_path) as running:
        yield running


@pytest.fixture
async def administered(sim: Simulator, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(sim, tmp_path, admin_key=SecretStr("the-admin-key")) as running:
        yield running


def request(api_key: str, token: str = "") -> pb.SaveCredentialsRequest:
    return pb.SaveCredentialsRequest(
        api_key=api_key, client_secret=f"{api_key}-secret", refresh_token=f"{api_key}-{token}"
    )


def stub(gateway: Gateway) -> CredentialsServiceStub:
    """Calls without a key, or with the metadata that the test gives."""
    return CredentialsServiceStub(gateway.channel)


async def accounts_of(gateway: Gateway, api_key: str) -> str:
    """Returns the broker's accounts of a key, out of the message about one that is not there."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.caller(api_key).accounts.GetBalances(
            account_service_pb2.GetBalancesRequest(account_id="none")
        )

    assert code_of(caught.value) == "NOT_FOUND"
    words = caught.value.details()
    assert words is not None
    return words.partition("Available accounts: ")[2]


async def refusal(call: Awaitable[object]) -> tuple[str, str, str | None]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call

    return code_of(caught.value), info_of(caught.value).reason, caught.value.details()


async def test_saving_answers_in_the_guides_words_and_the_key_works(gateway: Gateway) -> None:
    answer = await stub(gateway).SaveCredentials(request("your_custom_key"))
    assert (answer.success, answer.api_key, answer.message) == (True, "your_custom_key", SAVED)
    assert await accounts_of(gateway, "your_custom_key") != await accounts_of(gateway, "demo-key")


async def test_two_tenants_see_their_own_accounts_only(gateway: Gateway) -> None:
    for key in ("tenant1_key", "tenant2_key"):
        await stub(gateway).SaveCredentials(request(key))

    one, two = [await accounts_of(gateway, key) for key in ("tenant1_key", "tenant2_key")]
    assert one != two
    assert DEMO_ACCOUNT not in one + two
    foreign = await refusal(
        gateway.caller("tenant1_key").accounts.GetBalances(
            account_service_pb2.GetBalancesRequest(account_id=DEMO_ACCOUNT)
        )
    )
    missing = await refusal(
        gateway.caller("tenant1_key").accounts.GetBalances(
            account_service_pb2.GetBalancesRequest(account_id="5WT99999")
        )
    )
    assert missing == (*foreign[:2], str(foreign[2]).replace(DEMO_ACCOUNT, "5WT99999"))


async def test_new_credentials_take_effect_with_the_next_call(gateway: Gateway) -> None:
    await stub(gateway).SaveCredentials(request("tenant1_key"))
    before = await accounts_of(gateway, "tenant1_key")
    await stub(gateway).SaveCredentials(request("tenant1_key", "another"))
    assert await accounts_of(gateway, "tenant1_key") != before


async def test_a_revoked_grant_is_mended_by_new_credentials(gateway: Gateway) -> None:
    await stub(gateway).SaveCredentials(request("tenant1_key", "revoked"))
    balances = account_service_pb2.GetBalancesRequest(account_id=DEMO_ACCOUNT)
    code, reason, words = await refusal(
        gateway.caller("tenant1_key").accounts.GetBalances(balances)
    )
    assert (code, reason) == ("UNAUTHENTICATED", "ERROR_REASON_GRANT_REVOKED")
    assert str(words).endswith("Error: Grant revoked")
    await stub(gateway).SaveCredentials(request("tenant1_key"))
    assert await accounts_of(gateway, "tenant1_key")


async def test_a_listing_is_masked_and_says_since_when(gateway: Gateway) -> None:
    await stub(gateway).SaveCredentials(request("tenant1_key"))
    listing = await gateway.demo.credentials.ListCredentials(pb.ListCredentialsRequest())
    assert [entry.api_key for entry in listing.api_keys] == ["dem…key", "t…y"]
    assert listing.count == 2
    for entry in listing.api_keys:
        assert entry.configured
        assert 0 < entry.created_at.seconds <= entry.updated_at.seconds


async def test_deleting_ends_the_key(gateway: Gateway) -> None:
    await stub(gateway).SaveCredentials(request("tenant1_key"))
    await accounts_of(gateway, "tenant1_key")
    caller = gateway.caller("tenant1_key")
    delete = pb.DeleteCredentialsRequest(api_key="tenant1_key")
    answer = await caller.credentials.DeleteCredentials(delete)
    assert (answer.success, answer.api_key, answer.message) == (True, "tenant1_key", DELETED)
    code, reason, _ = await refusal(caller.credentials.DeleteCredentials(delete))
    assert (code, reason) == ("UNAUTHENTICATED", "ERROR_REASON_INVALID_API_KEY")
    assert gateway.app.brokerage.statistics().open == 0


async def test_nobody_deletes_or_finds_out_about_anothers_key(gateway: Gateway) -> None:
    await stub(gateway).SaveCredentials(request("tenant1_key"))
    answers = {
        await refusal(
            gateway.demo.credentials.DeleteCredentials(pb.DeleteCredentialsRequest(api_key=key))
        )
        for key in ("tenant1_key", "nobody_has_this", "short")
    }
    assert len(answers) == 1
    assert answers.pop()[:2] == ("PERMISSION_DENIED", "ERROR_REASON_API_KEY_TAKEN")
    assert await accounts_of(gateway, "tenant1_key")


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"api_key": ""}, "WEAK_API_KEY", "api_key"),
        ({"api_key": "short"}, "WEAK_API_KEY", "api_key"),
        ({"api_key": "a" * 129}, "WEAK_API_KEY", "api_key"),
        ({"api_key": "with space"}, "WEAK_API_KEY", "api_key"),
        ({"client_secret": ""}, "INVALID_FIELD", "client_secret"),
        ({"refresh_token": ""}, "INVALID_FIELD", "refresh_token"),
        ({"refresh_token": "a" * 4097}, "INVALID_FIELD", "refresh_token"),
        ({"refresh_token": "two words"}, "INVALID_FIELD", "refresh_token"),
    ],
)
async def test_bad_input_is_refused_by_name_and_nothing_is_saved(
    gateway: Gateway, change: dict[str, str], reason: str, field: str
) -> None:
    bad = pb.SaveCredentialsRequest(
        **{"api_key": "tenant1_key", "client_secret": "s", "refresh_token": "t", **change}
    )
    code, given, words = await refusal(stub(gateway).SaveCredentials(bad))
    assert (code, given) == ("INVALID_ARGUMENT", f"ERROR_REASON_{reason}")
    assert field in str(words)
    assert gateway.app.tenants.statistics().tenants == 1


ADMIN = (("x-admin-key", "the-admin-key"),)


async def test_with_an_administrator_only_he_registers_and_sees_everything(
    administered: Gateway,
) -> None:
    calls = stub(administered)
    code, reason, words = await refusal(calls.SaveCredentials(request("tenant1_key")))
    assert (code, reason) == ("PERMISSION_DENIED", "ERROR_REASON_ADMIN_KEY_REQUIRED")
    assert "X-Admin-Key" in str(words)
    wrong = calls.SaveCredentials(request("tenant1_key"), metadata=(("x-admin-key", "guess"),))
    assert (await refusal(wrong))[0] in ("PERMISSION_DENIED", "UNAUTHENTICATED")

    await calls.SaveCredentials(request("tenant1_key"), metadata=ADMIN)
    listing = await calls.ListCredentials(pb.ListCredentialsRequest(), metadata=ADMIN)
    assert [entry.api_key for entry in listing.api_keys] == ["dem…key", "ten…key"]
    own = await administered.caller("tenant1_key").credentials.ListCredentials(
        pb.ListCredentialsRequest()
    )
    assert [entry.api_key for entry in own.api_keys] == ["ten…key"]

    # The guide's own POST goes on updating an existing key, without any header.
    await calls.SaveCredentials(request("tenant1_key", "newer"))
    delete = pb.DeleteCredentialsRequest(api_key="tenant1_key")
    await calls.DeleteCredentials(delete, metadata=ADMIN)
    code, reason, words = await refusal(calls.DeleteCredentials(delete, metadata=ADMIN))
    assert (code, reason) == ("NOT_FOUND", "ERROR_REASON_API_KEY_NOT_FOUND")
    assert words == "API key 'ten…key' not found in credentials"


def contents(folder: Path) -> bytes:
    """Returns all bytes of all files, read by a process of its own.

    Closing a SQLite file that is open in this process would drop SQLite's locks on it.
    """
    return subprocess.run(["grep", "-r", "-a", "", folder], capture_output=True, check=True).stdout


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    """Logs everything there is, as the server does, and gives what was written."""
    root, ours = logging.getLogger(), logging.getLogger("server")
    before = (root.handlers[:], root.level, ours.level, structlog.get_config())
    stream = io.StringIO()
    logs.configure(Settings(log_level="debug", log_format="json"), stream)
    # More than the server ever lets through: libraries talk at DEBUG too.
    root.setLevel(logging.DEBUG)
    root.handlers[0].filters.clear()
    yield stream.getvalue
    root.handlers[:], level, our_level, config = before
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.configure(**config)


async def test_secrets_are_in_no_log_no_answer_and_no_file(
    sim: Simulator, tmp_path: Path, log: Callable[[], str]
) -> None:
    key = "canary-key-Zk3JtQ8vWm2cR7yH1xN5b"
    secret = "canary-client-secret-A9pS4dF6gL0"
    tokens = [f"canary-refresh-token-{kind}" for kind in ("sound", "revoked")]
    wrong = "canary-wrong-key-P1oI2uY3tR4e"
    said: list[object] = []
    async with open_gateway(sim, tmp_path, log_level="debug") as gateway:
        calls = stub(gateway)
        for token in tokens:
            saved = pb.SaveCredentialsRequest(
                api_key=key, client_secret=secret, refresh_token=token
            )
            await calls.SaveCredentials(saved)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await gateway.caller(key).accounts.GetBalances(
                    account_service_pb2.GetBalancesRequest(account_id="none")
                )

            said.append(caught.value)
            listing = await gateway.caller(key).credentials.ListCredentials(
                pb.ListCredentialsRequest()
            )
            said.append(listing)

        for bad in (
            pb.SaveCredentialsRequest(api_key=wrong + "!", client_secret=secret, refresh_token="t"),
            pb.SaveCredentialsRequest(api_key=wrong, client_secret=secret + " ", refresh_token="t"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await calls.SaveCredentials(bad)

            said.append(caught.value)

        for other in (wrong, key):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await gateway.caller(wrong).credentials.DeleteCredentials(
                    pb.DeleteCredentialsRequest(api_key=other)
                )

            said.append(caught.value)

        files = contents(tmp_path)

    answers = "".join(
        "".join(traceback.format_exception_only(one)) + repr(one.trailing_metadata())
        if isinstance(one, grpc.aio.AioRpcError)
        else repr(one)
        for one in said
    )
    assert "aiosqlite" in log()  # the libraries did talk
    for canary in (key, secret, *tokens, wrong):
        for form in (canary, base64.b64encode(canary.encode()).decode().rstrip("=")):
            assert form not in log()
            assert form not in answers
            assert form.encode() not in files

    assert b"tasty.db-wal" in files
    assert b"demo-key" not in files


async def test_without_a_key_a_random_one_is_made_and_works(gateway: Gateway) -> None:
    keys = set()
    for _ in range(2):
        given = pb.SaveCredentialsRequest(client_secret="s", refresh_token="t")
        answer = await stub(gateway).SaveCredentials(given)
        assert (answer.success, answer.message) == (True, SAVED)
        assert await accounts_of(gateway, answer.api_key)
        keys.add(answer.api_key)

    assert len(keys) == 2


async def test_the_listing_comes_in_pages(gateway: Gateway) -> None:
    for number in range(4):
        await stub(gateway).SaveCredentials(request(f"key-number-{number}"))

    calls = gateway.demo.credentials
    shown, token = [], ""
    for _ in range(3):
        asked = pb.ListCredentialsRequest(page_size=2, page_token=token)
        page = await calls.ListCredentials(asked)
        shown += [entry.api_key for entry in page.api_keys]
        assert page.count == 5
        token = page.next_page_token

    assert token == ""
    assert shown == ["dem…key", "k…0", "k…1", "k…2", "k…3"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"page_size": 0}, "page_size"),
        ({"page_size": -1}, "page_size"),
        ({"page_size": 501}, "page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": "-1"}, "page_token"),
        ({"page_token": "1" * 16}, "page_token"),
        ({"page_token": "٣"}, "page_token"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    gateway: Gateway, asked: dict[str, object], field: str
) -> None:
    call = gateway.demo.credentials.ListCredentials(pb.ListCredentialsRequest(**asked))
    code, reason, words = await refusal(call)
    assert (code, reason) == ("INVALID_ARGUMENT", "ERROR_REASON_INVALID_FIELD")
    assert field in str(words)


async def test_the_largest_page_is_accepted(gateway: Gateway) -> None:
    asked = pb.ListCredentialsRequest(page_size=500, page_token="0")
    assert (await gateway.demo.credentials.ListCredentials(asked)).count == 1


async def test_refused_logins_run_out_for_strangers_and_not_for_the_owner(
    gateway: Gateway,
) -> None:
    """The sample of the row: save `revoked-N`, read, again; and then the guide's cure."""
    balances = account_service_pb2.GetBalancesRequest(account_id=DEMO_ACCOUNT)
    await stub(gateway).SaveCredentials(request("owners-own-key"))
    await accounts_of(gateway, "owners-own-key")
    answers = []
    for number in range(12):
        await stub(gateway).SaveCredentials(request("a-hostile-key", f"revoked-{number}"))
        answers.append(
            await refusal(gateway.caller("a-hostile-key").accounts.GetBalances(balances))
        )

    refused = gateway.sim.oauth.statistics().refused
    assert refused == 2
    assert [reason for _, reason, _ in answers] == [
        *["ERROR_REASON_GRANT_REVOKED"] * 2,
        *["ERROR_REASON_LOGINS_HELD_BACK"] * 10,
    ]
    assert answers[-1][0] == "RESOURCE_EXHAUSTED"
    assert "nothing was sent to TastyTrade" in str(answers[-1][2])

    await stub(gateway).SaveCredentials(request("owners-own-key", "revoked"))
    code, reason, _ = await refusal(gateway.caller("owners-own-key").accounts.GetBalances(balances))
    assert (code, reason) == ("UNAUTHENTICATED", "ERROR_REASON_GRANT_REVOKED")
    await stub(gateway).SaveCredentials(request("owners-own-key"))
    assert await accounts_of(gateway, "owners-own-key")
    logins = gateway.app.tenants.logins.statistics()
    assert (logins.refused, logins.held_back) == (3, 10)
    page = generate_latest(gateway.app.front.registry).decode()
    assert "tasty_logins_refused_total 3.0" in page
    assert "tasty_logins_held_back_total 10.0" in page
    assert "tasty_logins_allowed 10.0" in page


async def test_the_demo_is_there_whatever_was_tried_before_it(gateway: Gateway) -> None:
    balances = account_service_pb2.GetBalancesRequest(account_id=DEMO_ACCOUNT)
    for number in range(3):
        await stub(gateway).SaveCredentials(request("another-key", f"revoked-{number}"))
        await refusal(gateway.caller("another-key").accounts.GetBalances(balances))

    assert (await gateway.demo.accounts.GetBalances(balances)).account_number == DEMO_ACCOUNT


async def test_a_refused_generation_is_not_tried_after_a_restart(
    sim: Simulator, tmp_path: Path
) -> None:
    balances = account_service_pb2.GetBalancesRequest(account_id=DEMO_ACCOUNT)
    for _ in range(3):
        async with open_gateway(sim, tmp_path) as gateway:
            if not sim.oauth.statistics().refused:
                await stub(gateway).SaveCredentials(request("a-key-of-mine", "revoked"))

            code, reason, words = await refusal(
                gateway.caller("a-key-of-mine").accounts.GetBalances(balances)
            )
            assert (code, reason) == ("UNAUTHENTICATED", "ERROR_REASON_GRANT_REVOKED")
            assert str(words).endswith("Error: Grant revoked")

    assert sim.oauth.statistics().refused == 1
