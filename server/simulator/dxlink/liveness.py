"""Tracks whether both sides of a connection are alive, and when a keepalive or a time-out is due.

In its SETUP each side names two times: after how much silence it will close the connection, and the
limit that it would like the other side to apply. The server accepts the client's wish within
limits.
"""

from __future__ import annotations

__all__ = ["Liveness"]

from server.simulator.clock import SimClock

SETUP_LIMIT_S = 10.0  # a client that sends nothing is closed after this time
KEEPALIVE_RANGE_S = (1.0, 120.0)
DEFAULT_KEEPALIVE_S = 60.0


class Liveness:
    """Measures the silence of both sides of one connection, on the simulator's clock."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self.opened_at = clock.monotonic()
        self._received_at = self._sent_at = self.opened_at
        self.receive_timeout = SETUP_LIMIT_S
        """Seconds without a message from the client after which the server closes."""

        self.send_interval = DEFAULT_KEEPALIVE_S / 2
        """Seconds without a message to the client after which the server sends a keepalive."""

    def record_received(self) -> None:
        self._received_at = self._clock.monotonic()

    def record_sent(self) -> None:
        self._sent_at = self._clock.monotonic()

    def negotiate(self, theirs: float | None, requested: float | None) -> tuple[float, float]:
        """Takes the client's two times; returns the server's, in the order of its own SETUP."""
        ours = _clamp(requested)
        accepted = _clamp(theirs)
        self.receive_timeout = ours
        # Clients apply one or the other of the two, so the shorter one counts.
        self.send_interval = min(ours, accepted) / 2
        return ours, accepted

    @property
    def client_timed_out(self) -> bool:
        return self._clock.monotonic() - self._received_at >= self.receive_timeout

    @property
    def keepalive_is_due(self) -> bool:
        return self._clock.monotonic() - self._sent_at >= self.send_interval

    @property
    def age(self) -> float:
        return self._clock.monotonic() - self.opened_at

    @property
    def next_deadline(self) -> float:
        """When the next time-out or keepalive is due if no message is exchanged until then."""
        return min(self._received_at + self.receive_timeout, self._sent_at + self.send_interval)


def _clamp(seconds: float | None) -> float:
    least, most = KEEPALIVE_RANGE_S
    return DEFAULT_KEEPALIVE_S if seconds is None else min(max(seconds, least), most)
