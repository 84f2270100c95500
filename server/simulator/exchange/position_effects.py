"""Decides whether a leg opens or closes a position, given what the account holds.

Unless an order asks for strict validation, the broker turns a closing leg without a position into
an opening one, with only a warning. The decision is made again at the fill, because another order
may have closed the position in between.
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
    """Returns the actions that the legs really have, and the problems found."""
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
                # A stop keeps its action until it is triggered, as the broker's dry run shows it.
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
    """Returns the action that a fill has, given what the account holds now.

    Futures (`Buy`, `Sell`) do not distinguish opening from closing. A closing fill larger than the
    position keeps its name: it closes the position and opens the difference.
    """
    if action not in CLOSING and action not in OPENING:
        return action

    opposite = held * action.side < 0
    if opposite and quantity > abs(held):
        return action

    return action.reversed_effect if (action in CLOSING) != opposite else action
