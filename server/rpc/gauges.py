"""Shows what the server's own parts count, read at the moment of a scrape."""

from __future__ import annotations

__all__ = ["Gauges", "LoginGauges"]

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.rpc.drain import DrainStatistics
from server.rpc.guesses import GuessStatistics
from server.rpc.rate_queue import RateQueueStatistics
from server.tenants import LoginStatistics


class Gauges(Collector):
    """Reads frozen snapshots, so that nothing is counted twice, once for tests and once here."""

    def __init__(
        self,
        drain: Callable[[], DrainStatistics],
        queue: Callable[[], RateQueueStatistics],
        guesses: Callable[[], GuessStatistics],
    ) -> None:
        self._drain = drain
        self._queue = queue
        self._guesses = guesses

    def collect(self) -> Iterator[Metric]:
        drain = self._drain()
        running = GaugeMetricFamily("tasty_calls_running", "Calls in flight.", labels=["kind"])
        running.add_metric(["unary"], drain.unary)
        running.add_metric(["stream"], drain.streams)
        yield running
        yield GaugeMetricFamily(
            "tasty_draining", "1 while the server is stopping.", value=float(drain.leaving)
        )

        queue = self._queue()
        yield GaugeMetricFamily("tasty_queue_waiting", "Calls that wait.", value=queue.waiting)
        yield GaugeMetricFamily("tasty_queue_keys", "API keys not idle.", value=queue.keys)
        yield GaugeMetricFamily(
            "tasty_queue_bytes", "Bytes of the calls that wait.", value=queue.held
        )
        yield CounterMetricFamily(
            "tasty_queue_delayed", "Calls that had to wait.", value=queue.delayed
        )
        refused = CounterMetricFamily(
            "tasty_queue_refused", "Calls refused for the rate limit.", labels=["why"]
        )
        refused.add_metric(["full"], queue.refused_full)
        refused.add_metric(["too_slow"], queue.refused_slow)
        refused.add_metric(["too_heavy"], queue.refused_heavy)
        yield refused

        guesses = self._guesses()
        yield CounterMetricFamily(
            "tasty_keys_slowed",
            "Keys that waited because wrong ones came from their address.",
            value=guesses.slowed,
        )
        yield CounterMetricFamily(
            "tasty_keys_refused",
            "Keys that were not looked at, for too many of their address waited.",
            value=guesses.refused,
        )


class LoginGauges(Collector):
    """Shows how much of the budget of refused logins is used up."""

    def __init__(self, logins: Callable[[], LoginStatistics]) -> None:
        self._logins = logins

    def collect(self) -> Iterator[Metric]:
        logins = self._logins()
        yield CounterMetricFamily(
            "tasty_logins_refused", "Logins that the broker refused.", value=logins.refused
        )
        yield CounterMetricFamily(
            "tasty_logins_held_back",
            "Logins with untried credentials that were not sent to the broker.",
            value=logins.held_back,
        )
        yield GaugeMetricFamily(
            "tasty_logins_counted",
            "Refused logins of all servers that count, as this one last saw it.",
            value=logins.counted,
        )
        yield GaugeMetricFamily(
            "tasty_logins_allowed", "Refused logins that may count.", value=logins.total
        )
