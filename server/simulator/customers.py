"""Derives customers and their accounts from refresh tokens.

Nothing is registered beforehand: every refresh token is a customer of its own, derived by a hash.
Two runs and two processes therefore agree about ids and account numbers, and two tokens never share
one.
"""

from __future__ import annotations

__all__ = ["DEMO_CLIENT_SECRET", "DEMO_REFRESH_TOKEN", "Customer", "CustomerAccount", "Customers"]

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DEMO_CLIENT_SECRET = "demo-client-secret"  # noqa: S105 - opens nothing but the simulator
DEMO_REFRESH_TOKEN = "demo-refresh-token"  # noqa: S105 - the same
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # the broker's account numbers have no I and no O


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAccount:
    """Describes one account of a customer."""

    number: str
    margin_or_cash: Literal["Margin", "Cash"]
    nickname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Describes a person with accounts at the broker."""

    id: str
    """Has the form of a UUID and never changes; `/customers/{id}` and `/customers/me` are the
    same."""

    user_id: str
    number: int
    """Positive, below 2**31 and never changing; the seed of everything that differs between
    customers."""

    first_name: str
    last_name: str
    accounts: tuple[CustomerAccount, ...]
    """The first is a margin account, the second a cash account."""

    demo: bool = False
    """True for the demo customer, whose margin account starts with positions, orders and
    history."""

    quotes: bool = True
    """False for a user of the website who is not a customer: no quote token is given."""

    def owns(self, account_number: str) -> bool:
        return any(account.number == account_number for account in self.accounts)


class Customers:
    """Finds customers by refresh token and by account number."""

    def __init__(self) -> None:
        self._by_token: dict[str, Customer] = {}
        self._by_account: dict[str, Customer] = {}

    def of_grant(self, refresh_token: str) -> Customer:
        """Returns the customer of a refresh token; derives it at the first call."""
        customer = self._by_token.get(refresh_token)
        if customer is None:
            customer = (
                _DEMO if refresh_token == DEMO_REFRESH_TOKEN else _derive_customer(refresh_token)
            )
            self._by_token[refresh_token] = customer
            self._by_account |= {account.number: customer for account in customer.accounts}

        return customer

    def of_account(self, account_number: str) -> Customer | None:
        """Returns the owner of an account, or None if its owner has not logged in yet."""
        return self._by_account.get(account_number)

    def all(self) -> Mapping[str, Customer]:
        """Returns every customer who has logged in so far, by id."""
        return {customer.id: customer for customer in self._by_token.values()}


def _derive_customer(refresh_token: str) -> Customer:
    digest = hashlib.sha256(b"customer\0" + refresh_token.encode()).digest()
    number = int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1
    return Customer(
        id=_derive_uuid(digest),
        user_id=f"U{number:010d}",
        number=number,
        first_name="Sam",
        last_name=f"Sample {number % 10_000:04d}",
        accounts=(
            CustomerAccount(
                number=_derive_account_number(digest[4:12]),
                margin_or_cash="Margin",
                nickname="Margin",
            ),
            CustomerAccount(
                number=_derive_account_number(digest[12:20]), margin_or_cash="Cash", nickname="Cash"
            ),
        ),
        # The quote token is refused for such a customer, whatever the call.
        quotes="not-a-customer" not in refresh_token,
    )


def _derive_account_number(digest: bytes) -> str:
    # Eight characters as at the broker. `5WT0000` is left to the demo customer; with six characters
    # of 34 possible ones, a collision with it or with another token has a chance of one in 1.5
    # billion.
    value = int.from_bytes(digest, "big")
    letters = []
    for _ in range(6):
        value, index = divmod(value, len(_ALPHABET))
        letters.append(_ALPHABET[index])

    return "5W" + "".join(letters)


def _derive_uuid(digest: bytes) -> str:
    text = digest[:16].hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


_DEMO = Customer(
    id="00000000-0000-4000-a000-000000000001",
    user_id="U0000000001",
    number=1,
    first_name="Demo",
    last_name="Trader",
    accounts=(
        CustomerAccount(number="5WT00001", margin_or_cash="Margin", nickname="Individual"),
        CustomerAccount(number="5WT00002", margin_or_cash="Cash", nickname="Cash"),
    ),
    demo=True,
)
