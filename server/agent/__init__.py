"""The agent: talks with a model whose tools are the rpcs of the contract, called as the tenant.

Nothing here trusts the model. What a tool may do is decided by its effect (`guard`), an order goes
out only with a code that the server read in the user's own message (`confirmation`), and only
`messages_api` imports the SDK, when the first question comes.
"""

from __future__ import annotations

__all__ = ["Agent", "Analyst", "Answer", "Question", "Said", "analyze_of", "open_agent"]

from server.agent.agent import Agent, open_agent
from server.agent.analysis import Analyst, analyze_of
from server.agent.chat_events import Answer, Question, Said
