"""Answers by rules: which tools a question needs, and when their results answer it.

A rule lists the calls it needs. Calls that were made already are not repeated; once all were made,
their results are described. The first rule whose words are in the question is used.
"""

from __future__ import annotations

__all__ = ["answer"]

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.simulator.messages.conversation import ACCOUNT, Conversation, read_conversation
from server.simulator.messages.replies import Reply, reply_with_calls, reply_with_text
from server.simulator.messages.requests import MessagesRequest
from server.simulator.messages.result_texts import SIGNATURE, describe_result
from server.simulator.messages.row_summaries import summarize_rows
from server.simulator.messages.sentence_parser import find_order, find_order_number, find_symbols

Call = tuple[str, Mapping[str, Any]]
Plan = Callable[[Conversation], Sequence[Call] | str]
"""Returns the calls that a question needs, or a sentence if calls cannot answer it."""

MAX_SYMBOLS = 10
HELP = (
    "I know a few sentences by rule: balances, positions, quotes, greeks, IV rank, option chains, "
    "orders, transactions, watchlists, the market's hours, and orders such as "
    '"buy 1 SPY 685P expiring 12/19 at 4.50". For more, set ANTHROPIC_API_KEY.'
)


@dataclass(frozen=True, slots=True)
class Rule:
    words: re.Pattern[str]
    plan: Plan


def answer(request: MessagesRequest) -> Reply:
    """Returns the stand-in's reply to a request."""
    if not request.tools:
        return reply_with_text(f"{summarize_rows(request.turns[-1].text)}\n\n{SIGNATURE}")

    conversation = read_conversation(request)
    question, plan = _choose_plan(conversation)
    planned = plan(question)
    if isinstance(planned, str):
        return reply_with_text(f"{planned}\n\n{SIGNATURE}")

    absent = sorted({name for name, _ in planned if name not in conversation.tools})
    if absent:
        return reply_with_text(
            f"I am not given the tools for this: {', '.join(absent)}.\n\n{SIGNATURE}"
        )

    made = [(result.tool, dict(result.input)) for result in conversation.results]
    open_calls = [(name, given) for name, given in planned if (name, dict(given)) not in made]
    if open_calls:
        return reply_with_calls(open_calls, conversation.tool_rounds)

    return reply_with_text(
        "\n".join(map(describe_result, conversation.results)) + f"\n\n{SIGNATURE}"
    )


def _choose_plan(conversation: Conversation) -> tuple[Conversation, Plan]:
    """Returns the question and the plan for it.

    A question that only names an account repeats the question before, for that account.
    """
    question = conversation
    if (
        conversation.earlier
        and conversation.named_accounts
        and not find_symbols(ACCOUNT.sub("", conversation.question))
    ):
        bare = ACCOUNT.sub("", conversation.question).strip(" .,!")
        if len(bare.split()) <= 4:
            question = _replace_question(
                conversation,
                f"{conversation.earlier[-1]} in account {conversation.named_accounts[0]}",
            )

    for rule in RULES:
        if rule.words.search(question.question):
            return question, rule.plan

    return question, lambda _: HELP


def _replace_question(conversation: Conversation, question: str) -> Conversation:
    return Conversation(
        question=question,
        earlier=conversation.earlier[:-1],
        tools=conversation.tools,
        accounts=conversation.accounts,
        chosen_account=conversation.chosen_account,
        today=conversation.today,
        results=conversation.results,
        tool_rounds=conversation.tool_rounds,
    )


def _plan_account_calls(conversation: Conversation, tool: str, **more: Any) -> list[Call]:
    """Plans a call for each account that the conversation does not exclude."""
    accounts = conversation.named_accounts or [conversation.chosen_account]
    accounts = [each for each in accounts if each] or list(conversation.accounts)
    return [(tool, {"account_id": each} | more) for each in accounts]


def _plan_reads(tool: str, **more: Any) -> Plan:
    return lambda conversation: _plan_account_calls(conversation, tool, **more)


def _plan_portfolio(conversation: Conversation) -> Sequence[Call]:
    planned = _plan_account_calls(conversation, "get_balances") + _plan_account_calls(
        conversation, "list_positions"
    )
    held = [
        position.get("underlying_symbol", "")
        for result in conversation.results_of("list_positions")
        for position in result.data.get("positions", [])
    ]
    symbols = sorted({each for each in held if each and not each.startswith("/")})[:MAX_SYMBOLS]
    if symbols:
        planned.append(("get_market_metrics", {"symbols": symbols, "analyze": False}))

    return planned


def _plan_for_symbols(make: Callable[[list[str]], Call]) -> Plan:
    def plan(conversation: Conversation) -> Sequence[Call] | str:
        symbols = find_symbols(conversation.question)[:MAX_SYMBOLS]
        return [make(symbols)] if symbols else "Of which symbol?"

    return plan


def _call_quotes(symbols: list[str]) -> Call:
    return "get_quotes", {"instruments": [{"symbol": each} for each in symbols], "analyze": False}


def _call_metrics(symbols: list[str]) -> Call:
    return "get_market_metrics", {"symbols": symbols, "analyze": False}


def _call_chain(symbols: list[str]) -> Call:
    return "get_option_chain", {"symbol": symbols[0], "max_dte": 14, "all_options": False}


def _call_search(symbols: list[str]) -> Call:
    return "search_symbols", {"symbol": symbols[0]}


def _plan_order(conversation: Conversation) -> Sequence[Call] | str:
    asked = find_order(conversation.question, conversation.today)
    if asked is None:
        return 'Which order? Such as: "buy 1 SPY 685P expiring 12/19 at 4.50".'

    if asked.missing:
        return f"The order lacks {asked.missing}."

    account = _choose_account(conversation)
    if not account:
        return _ask_for_account(conversation)

    return [("place_order", {"account_id": account, "order": asked.order})]


def _plan_cancel(conversation: Conversation) -> Sequence[Call] | str:
    number = find_order_number(conversation.question)
    if not number:
        return "Which order? Name its number."

    account = _choose_account(conversation)
    if not account:
        return _ask_for_account(conversation)

    return [("cancel_order", {"account_id": account, "order_id": number})]


def _plan_watchlist_change(conversation: Conversation) -> Sequence[Call] | str:
    symbols = find_symbols(conversation.question)
    if not symbols:
        return "Which symbols?"

    action = "remove" if re.search(r"\bremove\b", conversation.question, re.IGNORECASE) else "add"
    entries = [{"symbol": each, "instrument_type": "Equity"} for each in symbols]
    return [("manage_watchlist", {"action": action, "symbols": entries})]


def _choose_account(conversation: Conversation) -> str:
    if len(conversation.named_accounts) == 1:
        return conversation.named_accounts[0]

    if conversation.chosen_account or len(conversation.accounts) != 1:
        return conversation.chosen_account

    return conversation.accounts[0]


def _ask_for_account(conversation: Conversation) -> str:
    return f"In which account: {' or '.join(conversation.accounts) or 'there is none'}?"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


RULES: tuple[Rule, ...] = (
    Rule(_compile(r"\bcancel\b"), _plan_cancel),
    Rule(_compile(r"\b(add|remove)\b.*\bwatch ?list"), _plan_watchlist_change),
    Rule(_compile(r"\b(buy|sell)\b|\bplace\b.*\border"), _plan_order),
    Rule(_compile(r"\bportfolio\b"), _plan_portfolio),
    Rule(
        _compile(r"\bbalances?\b|\bbuying power\b|\bcash\b|\bnet liq"), _plan_reads("get_balances")
    ),
    Rule(_compile(r"\bpositions?\b|\bwhat do i (own|hold)\b"), _plan_reads("list_positions")),
    Rule(
        _compile(r"\biv\b|\bimplied volatility\b|\bmetrics?\b|\bbeta\b"),
        _plan_for_symbols(_call_metrics),
    ),
    Rule(_compile(r"\boption chain\b|\bchain\b|\bexpirations?\b"), _plan_for_symbols(_call_chain)),
    Rule(_compile(r"\bquotes?\b|\bprices?\b|\btrading at\b"), _plan_for_symbols(_call_quotes)),
    Rule(_compile(r"\btransactions?\b"), _plan_reads("list_transactions", days=30)),
    Rule(
        _compile(r"\border history\b|\bpast orders\b|\brejected\b"),
        _plan_reads("list_order_history"),
    ),
    Rule(_compile(r"\borders?\b"), _plan_reads("list_live_orders")),
    Rule(_compile(r"\bwatch ?lists?\b"), lambda _: [("list_watchlists", {})]),
    Rule(
        _compile(r"\bmarket\b.*\bopen\b|\bmarket (status|hours)\b"),
        lambda _: [("get_market_status", {})],
    ),
    Rule(_compile(r"\bsearch\b|\bfind\b|\blook up\b"), _plan_for_symbols(_call_search)),
    Rule(_compile(r"\bwhat time\b|\bcurrent time\b"), lambda _: [("get_current_time", {})]),
)
