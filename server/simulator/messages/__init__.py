"""A stand-in for the Anthropic Messages API: the wire of the real one, rules instead of a mind.

It answers what its few rules know, calls the tools that it is offered, and says of itself in every
answer that it is no model. It is for running without a key and for testing clients of the API,
never for judging what a real model would say.
"""

from __future__ import annotations

__all__ = ["MessagesApi", "MessagesStatistics"]

from server.simulator.messages.service import MessagesApi, MessagesStatistics
