"""The rules: which tools a question needs, and when there is enough to answer it.

A rule says what it would call; calls that were made already are not made again, and once all were,
their results are told. The first rule whose words are in the question is taken.
"""

from __future__ import annotations

__all__ = ["answer"]

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.simulator.messages.conversation import ACCOUNT, Talk, talk_of
from server.simulator.messages.replies import Reply, calls, says
from server.simulator.messages.requests import MessagesRequest
from server.simulator.messages.result_texts import SIGNATURE, tell
from server.simulator.messages.row_summaries import summary_of
from server.simulator.messages.sentence_parser import order_in, order_number_in, symbols_in

Call = tuple[str, Mapping[str, Any]]
Plan = Callable[[Talk], Sequence[Call] | str]
"""Answers the calls that a question needs, or a sentence when it cannot be answered with calls."""

MOST_SYMBOLS = 10
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
    """Returns what the stand-in says to a request."""
    if not request.tools:
        return says(f"{summary_of(request.turns[-1].text)}\n\n{SIGNATURE}")

    talk = talk_of(request)
    question, plan = _chosen(talk)
    planned = plan(question)
    if isinstance(planned, str):
        return says(f"{planned}\n\n{SIGNATURE}")

    absent = sorted({name for name, _ in planned if name not in talk.tools})
    if absent:
        return says(f"I am not given the tools for this: {', '.join(absent)}.\n\n{SIGNATURE}")

    made = [(result.tool, dict(result.input)) for result in talk.results]
    open_calls = [(name, given) for name, given in planned if (name, dict(given)) not in made]
    if open_calls:
        return calls(open_calls, talk.turns)

    return says("\n".join(map(tell, talk.results)) + f"\n\n{SIGNATURE}")


def _chosen(talk: Talk) -> tuple[Talk, Plan]:
    """Finds the rule; a question that only names an account repeats the one before."""
    question = talk
    if talk.earlier and talk.named_accounts and not symbols_in(ACCOUNT.sub("", talk.question)):
        bare = ACCOUNT.sub("", talk.question).strip(" .,!")
        if len(bare.split()) <= 4:
            question = _replaced(talk, f"{talk.earlier[-1]} in account {talk.named_accounts[0]}")

    for rule in RULES:
        if rule.words.search(question.question):
            return question, rule.plan

    return question, lambda _: HELP


def _replaced(talk: Talk, question: str) -> Talk:
    return Talk(
        question=question,
        earlier=talk.earlier[:-1],
        tools=talk.tools,
        accounts=talk.accounts,
        chosen_account=talk.chosen_account,
        today=talk.today,
        results=talk.results,
        turns=talk.turns,
    )


def _account_calls(talk: Talk, tool: str, **more: Any) -> list[Call]:
    """A read looks at every account that is not ruled out."""
    accounts = talk.named_accounts or [talk.chosen_account]
    accounts = [each for each in accounts if each] or list(talk.accounts)
    return [(tool, {"account_id": each} | more) for each in accounts]


def _reads(tool: str, **more: Any) -> Plan:
    return lambda talk: _account_calls(talk, tool, **more)


def _portfolio(talk: Talk) -> Sequence[Call]:
    planned = _account_calls(talk, "get_balances") + _account_calls(talk, "list_positions")
    held = [
        position.get("underlying_symbol", "")
        for result in talk.of("list_positions")
        for position in result.data.get("positions", [])
    ]
    symbols = sorted({each for each in held if each and not each.startswith("/")})[:MOST_SYMBOLS]
    if symbols:
        planned.append(("get_market_metrics", {"symbols": symbols, "analyze": False}))

    return planned


def _of_symbols(make: Callable[[list[str]], Call]) -> Plan:
    def plan(talk: Talk) -> Sequence[Call] | str:
        symbols = symbols_in(talk.question)[:MOST_SYMBOLS]
        return [make(symbols)] if symbols else "Of which symbol?"

    return plan


def _quotes(symbols: list[str]) -> Call:
    return "get_quotes", {"instruments": [{"symbol": each} for each in symbols], "analyze": False}


def _metrics(symbols: list[str]) -> Call:
    return "get_market_metrics", {"symbols": symbols, "analyze": False}


def _chain(symbols: list[str]) -> Call:
    return "get_option_chain", {"symbol": symbols[0], "max_dte": 14, "all_options": False}


def _search(symbols: list[str]) -> Call:
    return "search_symbols", {"symbol": symbols[0]}


def _place(talk: Talk) -> Sequence[Call] | str:
    asked = order_in(talk.question, talk.today)
    if asked is None:
        return 'Which order? Such as: "buy 1 SPY 685P expiring 12/19 at 4.50".'

    if asked.missing:
        return f"The order lacks {asked.missing}."

    account = _one_account(talk)
    if not account:
        return _which_account(talk)

    return [("place_order", {"account_id": account, "order": asked.order})]


def _cancel(talk: Talk) -> Sequence[Call] | str:
    number = order_number_in(talk.question)
    if not number:
        return "Which order? Name its number."

    account = _one_account(talk)
    if not account:
        return _which_account(talk)

    return [("cancel_order", {"account_id": account, "order_id": number})]


def _watch(talk: Talk) -> Sequence[Call] | str:
    symbols = symbols_in(talk.question)
    if not symbols:
        return "Which symbols?"

    action = "remove" if re.search(r"\bremove\b", talk.question, re.IGNORECASE) else "add"
    entries = [{"symbol": each, "instrument_type": "Equity"} for each in symbols]
    return [("manage_watchlist", {"action": action, "symbols": entries})]


def _one_account(talk: Talk) -> str:
    if len(talk.named_accounts) == 1:
        return talk.named_accounts[0]

    if talk.chosen_account or len(talk.accounts) != 1:
        return talk.chosen_account

    return talk.accounts[0]


def _which_account(talk: Talk) -> str:
    return f"In which account: {' or '.join(talk.accounts) or 'there is none'}?"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


RULES: tuple[Rule, ...] = (
    Rule(_words(r"\bcancel\b"), _cancel),
    Rule(_words(r"\b(add|remove)\b.*\bwatch ?list"), _watch),
    Rule(_words(r"\b(buy|sell)\b|\bplace\b.*\border"), _place),
    Rule(_words(r"\bportfolio\b"), _portfolio),
    Rule(_words(r"\bbalances?\b|\bbuying power\b|\bcash\b|\bnet liq"), _reads("get_balances")),
    Rule(_words(r"\bpositions?\b|\bwhat do i (own|hold)\b"), _reads("list_positions")),
    Rule(_words(r"\biv\b|\bimplied volatility\b|\bmetrics?\b|\bbeta\b"), _of_symbols(_metrics)),
    Rule(_words(r"\boption chain\b|\bchain\b|\bexpirations?\b"), _of_symbols(_chain)),
    Rule(_words(r"\bquotes?\b|\bprices?\b|\btrading at\b"), _of_symbols(_quotes)),
    Rule(_words(r"\btransactions?\b"), _reads("list_transactions", days=30)),
    Rule(_words(r"\border history\b|\bpast orders\b|\brejected\b"), _reads("list_order_history")),
    Rule(_words(r"\borders?\b"), _reads("list_live_orders")),
    Rule(_words(r"\bwatch ?lists?\b"), lambda _: [("list_watchlists", {})]),
    Rule(
        _words(r"\bmarket\b.*\bopen\b|\bmarket (status|hours)\b"),
        lambda _: [("get_market_status", {})],
    ),
    Rule(_words(r"\bsearch\b|\bfind\b|\blook up\b"), _of_symbols(_search)),
    Rule(_words(r"\bwhat time\b|\bcurrent time\b"), lambda _: [("get_current_time", {})]),
)
