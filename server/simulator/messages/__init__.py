"""Serves a stand-in for the Anthropic Messages API: the real wire format, rules instead of a model.

It answers what its few rules cover, calls the tools that it is offered, and says in every answer
that it is no model. Use it to run without a key and to test clients of the API, never to judge what
a real model would say.
"""

from __future__ import annotations

__all__ = ["MessagesApi", "MessagesStatistics"]

from server.simulator.messages.service import MessagesApi, MessagesStatistics
