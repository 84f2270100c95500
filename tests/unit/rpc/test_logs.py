"""What is logged, in both formats, by us and by libraries; and what never is."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from server import logs
from server.logs import REQUEST_ID, configure, hide, redacted
from server.settings import Settings

CANARY = "canary-7f3a"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What is configured here must not leak into other tests."""
    root, ours = logging.getLogger(), logging.getLogger("server")
    before = (root.handlers[:], root.level, ours.level, structlog.get_config())
    request_id = REQUEST_ID.set("")
    hidden = logs._HIDDEN.set(())
    yield
    logs._HIDDEN.reset(hidden)
    REQUEST_ID.reset(request_id)
    root.handlers[:], level, our_level, config = before
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.configure(**config)


def logged(write: Callable[[], None], level: str = "debug", form: str = "json") -> str:
    stream = io.StringIO()
    configure(Settings(log_level=level, log_format=form), stream)  # type: ignore[arg-type]
    write()
    return stream.getvalue()


SECRETS: dict[str, Any] = {
    "a field by name": lambda log: log.info("x", refresh_token=CANARY),
    "a header field": lambda log: log.info("x", **{"x-api-key": CANARY}),
    "nested": lambda log: log.info("x", body={"a": [{"client_secret": CANARY}]}),
    "a pair in a text": lambda log: log.info(f"refused: refresh_token={CANARY}&a=1"),
    "a pair in JSON": lambda log: log.info('sent {"auth-token": "' + CANARY + '", "id": 1}'),
    "a pair in a repr": lambda log: log.info(f"{{'client_secret': '{CANARY}'}}"),
    "JSON within JSON": lambda log: log.info('"{\\"auth-token\\": \\"' + CANARY + '\\"}"'),
    "a header tuple": lambda log: log.info(f"[(b'Authorization', b'Bearer {CANARY}')]"),
    "a header line": lambda log: log.info(f"authorization: Bearer {CANARY}"),
    "a header line without scheme": lambda log: log.info(f"Authorization: {CANARY}"),
    "a cookie": lambda log: log.info(f"set-cookie: {CANARY}; Path=/"),
    "bearer alone": lambda log: log.info(f"with Bearer {CANARY}"),
    "a database URL": lambda log: log.info(f"postgresql+asyncpg://tasty:{CANARY}@db/tasty"),
    "a JWT": lambda log: log.info(f"eyJhbGciOiJI.{CANARY}.{CANARY}"),
    "a key of the model": lambda log: log.info(f"using sk-ant-{CANARY}"),
    "an exception": lambda log: log.error("x", exc_info=ValueError(f"refresh_token={CANARY}")),
    "an object": lambda log: log.info("x", error=ValueError(f"client_secret={CANARY}")),
    "a name in other letters": lambda log: log.info("x", Master_Key=CANARY),
}


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("write", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_is_starred(write: Callable[[Any], None], form: str) -> None:
    ours = logged(lambda: write(structlog.get_logger()), form=form)

    assert CANARY not in ours
    assert "***" in ours


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_that_a_library_prints_is_starred_too(form: str) -> None:
    def write() -> None:
        library = logging.getLogger("tastytrade")
        library.warning("sent %s", {"auth-token": CANARY})
        library.warning("headers: %r", [(b"authorization", b"Bearer " + CANARY.encode())])
        library.error("failed", exc_info=ValueError(f"bad client_secret={CANARY}"))

    text = logged(write, form=form)
    assert CANARY not in text
    for line in ("sent ", "headers: ", "ValueError: bad client_secret=***"):
        assert line in text


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_libraries_are_never_heard_below_info(level: str) -> None:
    def write() -> None:
        logging.getLogger("tastytrade.streamer").debug(CANARY)
        logging.getLogger("httpx2").debug(CANARY)

    assert logged(write, level) == ""


def test_a_library_that_turns_its_own_logger_up_is_not_heard_either() -> None:
    library = logging.getLogger("tastytrade")

    def write() -> None:
        library.setLevel(logging.DEBUG)  # what the SDK does when it is imported
        library.debug(CANARY)
        logging.getLogger("tastytrade.streamer").debug(CANARY)

    before = library.level
    try:
        assert [logged(write, level) for level in ("debug", "info", "warning")] == [""] * 3
    finally:
        library.setLevel(before)


def test_a_client_that_leaves_before_its_answer_is_out_is_no_error_of_grpc() -> None:
    def write() -> None:
        grpc_log = logging.getLogger("grpc._cython.cygrpc")
        grpc_log.error("ExecuteBatchError raised in core by servicer method [/a.B/C]")
        grpc_log.error("Unexpected [KeyError] raised by servicer method [/a.B/C]")

    assert [json.loads(line)["event"][:10] for line in logged(write).splitlines()] == ["Unexpected"]


def test_our_own_standard_loggers_are_heard_at_the_level_of_the_settings() -> None:
    write = lambda: logging.getLogger("server.market").debug("hello")  # noqa: E731 - one word

    assert "hello" in logged(write, "debug")
    assert logged(write, "info") == ""


def test_what_was_hidden_is_starred_wherever_it_stands() -> None:
    def write() -> None:
        hide("demo-key-of-someone")
        structlog.get_logger().info("no tenant for demo-key-of-someone, it seems")

    assert "demo-key-of-someone" not in logged(write)


def test_a_short_text_is_not_hidden() -> None:
    def write() -> None:
        hide("a")
        structlog.get_logger().info("banana")

    assert "banana" in logged(write)


@pytest.mark.parametrize("piece", ["a", "token", "://a:", "secret=", "eyJ", "bearer "])
def test_a_long_text_is_cut_and_does_not_hold_up_the_loop(piece: str) -> None:
    # Of this thread alone: what else the machine does is no matter.
    started = time.thread_time()
    text = logged(lambda: structlog.get_logger().info("token " + piece * 100_000))

    assert len(text) < 100_000
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    "text",
    [
        *("client_secret=abcdef", "ToKen: abcdef", "PASSWD=abcdef", "password='abcdef'"),
        *('"api_key": "abcdef"', "Admin-Key: abcdef", "master-key=abcdef", "PEPPER=abcdef"),
        *("Authorization: abcdef", "set-cookie: abcdef", "credentials: abcdef", "BEARER abcdef"),
        *("basic abcdef", "postgres://abcdef:abcdef@host", "eyJabcdef.abcdef", "sk-ant-abcdef"),
        # Letters that a pattern takes for an s and a k.
        *("\u017fecret=abcdef", "to\u212aen=abcdef"),
    ],
)
def test_a_secret_is_found_whatever_the_case_of_its_name(text: str) -> None:
    assert "abcdef" not in redacted(text)
    assert "***" in redacted(f"caf\u00e9 {text}")


def test_innocent_texts_stay_as_they_are() -> None:
    innocent = {
        "method": "/tasty.v1.CredentialsService/SaveCredentials",
        "max_tokens": 4096,
        "input_tokens": 12,
        "symbol": "SPY   251219P00685000",
        "url": "https://api.tastyworks.com/accounts/5WT00001/balances",
        "words": "Missing API key. Provide X-API-Key header.",
        "nothing": None,
        "flag": True,
        "ms": 1.5,
    }
    assert redacted(innocent) == innocent


def test_json_is_one_object_a_line_with_time_level_and_request_id() -> None:
    def write() -> None:
        REQUEST_ID.set("r-1")
        structlog.get_logger().info("call", ms=1.5)
        logging.getLogger("library").warning("beware")

    ours, theirs = (json.loads(line) for line in logged(write).splitlines())
    assert (ours["event"], ours["ms"], ours["level"]) == ("call", 1.5, "info")
    assert ours["request_id"] == "r-1"
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("beware", "warning", "library")
    assert theirs["request_id"] == "r-1"
