"""Finds the account that a path names: the caller's, another customer's (403), or none (404).

Accounts are opened at the first call of their customer.
"""

from __future__ import annotations

__all__ = ["get_account", "get_customer", "list_own_accounts"]


from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.customers import Customer
from server.simulator.envelope import BrokerError
from server.simulator.exchange.account import Account


def get_customer(request: web.Request) -> Customer:
    """Returns the caller; a path that names another customer is refused."""
    customer: Customer = request["customer"]
    if request.match_info.get("customer_id", "me") not in ("me", customer.id):
        raise not_permitted()

    return customer


def list_own_accounts(broker: Broker, request: web.Request) -> list[Account]:
    """Returns the caller's accounts."""
    customer = get_customer(request)
    accounts: list[Account] = broker.exchange.accounts_of(customer, customer.accounts)
    return accounts


def get_account(broker: Broker, request: web.Request) -> Account:
    """Returns the account that the path names, if it is the caller's."""
    number = request.match_info["account_number"]
    for account in list_own_accounts(broker, request):
        if account.number == number:
            return account

    if broker.customers.of_account(number) is not None:
        raise not_permitted()

    raise BrokerError(404, "record_not_found", f"Couldn't find account {number}")


def not_permitted() -> BrokerError:
    return BrokerError(403, "not_permitted", "User not permitted access")
