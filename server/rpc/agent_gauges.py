"""Shows what the agent counts: chats, analyses, and the tokens of the operator's model key.

No tenant is a label: what one of them used is in its own answers, and in the store.
"""

from __future__ import annotations

__all__ = ["AgentGauges"]

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.agent.agent import AgentStatistics


class AgentGauges(Collector):
    """Reads frozen snapshots at the moment of a scrape."""

    def __init__(self, agent: Callable[[], AgentStatistics]) -> None:
        self._agent = agent

    def collect(self) -> Iterator[Metric]:
        agent = self._agent()
        running = GaugeMetricFamily(
            "tasty_agent_running", "Chats and analyses that run.", labels=["what"]
        )
        running.add_metric(["chat"], agent.chats.running)
        running.add_metric(["analysis"], agent.analyses.at_once.running)
        yield running

        refused = CounterMetricFamily(
            "tasty_agent_refused", "Chats and analyses that were one too many.", labels=["what"]
        )
        refused.add_metric(["chat"], agent.chats.refused)
        refused.add_metric(["analysis"], agent.analyses.at_once.refused)
        yield refused

        yield CounterMetricFamily(
            "tasty_analyses_shared",
            "Analyses that were given to more than the first who asked.",
            value=agent.analyses.shared.shared,
        )
        calls = CounterMetricFamily("tasty_model_calls", "Calls of the model.", labels=["purpose"])
        for purpose, count in agent.model.calls.items():
            calls.add_metric([purpose], count)

        yield calls

        tokens = CounterMetricFamily(
            "tasty_model_tokens",
            "Tokens of the model, by its own count.",
            labels=["purpose", "kind"],
        )
        for (purpose, kind), count in agent.model.tokens.items():
            tokens.add_metric([purpose, kind], count)

        yield tokens

        kept_back = CounterMetricFamily(
            "tasty_model_not_asked", "Calls of the model that were not made.", labels=["why"]
        )
        kept_back.add_metric(["budget"], agent.model.over_budget)
        kept_back.add_metric(["store"], agent.model.uncounted)
        yield kept_back
