"""Defines the simulator's settings.

Their defaults are the real broker's numbers, except that the market is always open and nobody is
throttled. Tests and the command line (`python -m server.simulator --help`) change them.
"""

from __future__ import annotations

__all__ = ["SimulatorSettings"]

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """Holds the whole configuration."""

    host: str = "127.0.0.1"
    """Address that the port listens on."""

    port: int = 0
    """The one port; 0 takes a free one (the command line defaults to 8090)."""

    seed: int = 20251219
    """The same seed and the same clock give the same market."""

    start: datetime | None = None
    """Instant (aware) at which simulated time starts; None means the machine's own time."""

    real_hours: bool = False
    """True: the market keeps the exchanges' hours; False: it is always open."""

    latency: timedelta = timedelta()
    """Emulated round trip: every REST answer and every WebSocket message is delayed by it."""

    access_token_lifetime: timedelta = timedelta(minutes=15)
    """How long an access token is valid."""

    quote_token_lifetime: timedelta = timedelta(hours=24)
    """How long a quote token is valid; the feed asks for another one when it ends."""

    rate_limits: bool = False
    """True: endpoints answer 429 beyond the broker's requests per second and customer."""

    tick: timedelta = timedelta(milliseconds=100)
    """How often the market moves."""

    min_aggregation: timedelta = timedelta(milliseconds=100)
    """Shortest aggregation period that the feed grants; a client may ask for a longer one."""

    max_feed_message: int = 64 * 1024
    """Longest message in bytes that the feed reads; a longer one closes the connection with
    1009."""

    feed_restart: timedelta | None = None
    """Age at which the feed closes a connection with 1012, as the real feed does; None: never."""

    auto_candle_history: bool = False
    """True: contract AUTO gives candles their history. The broker gives an empty snapshot there,
    and history only to contract HISTORY."""

    heartbeat_limit: timedelta = timedelta(seconds=60)
    """The account streamer closes a connection after this long without a message."""

    exchange: ExchangeSettings = field(default_factory=ExchangeSettings)
    """Delays of the exchange, and the choices where the broker's behaviour is not known for
    sure."""

    faults: tuple[Fault, ...] = field(default=())
    """Faults that exist from the start."""
