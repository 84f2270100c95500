"""Opening or closing: what a leg's action means for what is really held.

Unless an order asks for strict validation, the broker turns a closing leg without a position into
an opening one, silently but for a warning. The same is decided again when a fill comes, because
another order may have closed the position in between.
"""

from __future__ import annotations

__all__ = ["resolve_fill_action", "resolve_position_effects"]

from collections.abc import Mapping, Sequence
from decimal import Decimal

from server.simulator.exchange import problems
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.money import ZERO, format_decimal
from server.simulator.exchange.orders import Ticket
from server.simulator.exchange.positions import Position
from server.simulator.exchange.problems import Problem
from server.simulator.exchange.vocabulary import CLOSING, OPENING, Action, InstrumentType, OrderType


def resolve_position_effects(
    ticket: Ticket, contracts: Sequence[Contract], positions: Mapping[str, Position]
) -> tuple[list[Action], list[Problem]]:
    """Returns the actions that legs really have, and what there is to say about the changes."""
    actions: list[Action] = []
    found: list[Problem] = []
    for leg, contract in zip(ticket.legs, contracts, strict=True):
        position = positions.get(contract.symbol)
        held = position.quantity if position else ZERO
        quantity = leg.quantity or ZERO
        opposite = held * leg.action.side < 0
        action = leg.action
        if contract.instrument_type is not InstrumentType.FUTURE:
            if action in CLOSING and not opposite:
                found.append(
                    problems.closing_without_position(
                        None if ticket.strict else action.reversed_effect.value
                    )
                )
                # A stop keeps its action until it is triggered: so the broker's dry run shows it.
                if ticket.type is not OrderType.STOP:
                    action = action.reversed_effect
            elif opposite and quantity > abs(held):
                found.append(problems.closing_too_much(contract.symbol, format_decimal(abs(held))))
            elif action in OPENING and opposite:
                action = action.reversed_effect
                found.append(problems.opening_against(contract.symbol, action.value))

        actions.append(action)

    return actions, found


def resolve_fill_action(action: Action, held: Decimal, quantity: Decimal) -> Action:
    """Returns the action that a fill has against what is held by now.

    Futures (`Buy`, `Sell`) have no effect of their own, and a closing fill larger than what is
    left keeps its name: it closes the rest and opens the difference.
    """
    if action not in CLOSING and action not in OPENING:
        return action

    opposite = held * action.side < 0
    if opposite and quantity > abs(held):
        return action

    return action.reversed_effect if (action in CLOSING) != opposite else action
