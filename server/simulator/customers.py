"""Who there is: every pair of client secret and refresh token is a customer of its own.

Nothing is registered beforehand. A customer is derived from the refresh token by a hash, so two
runs and two processes agree about ids and account numbers, and two tokens never share one.
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
    """One account of a customer."""

    number: str
    margin_or_cash: Literal["Margin", "Cash"]
    nickname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person with accounts at the broker."""

    id: str
    """UUID-like and stable: `/customers/{id}` and `/customers/me` are the same."""

    user_id: str
    number: int
    """Stable, positive and below 2**31; seeds whatever has to differ between customers."""

    first_name: str
    last_name: str
    accounts: tuple[CustomerAccount, ...]
    """The first is a margin account, the second a cash account."""

    demo: bool = False
    """The demo customer, whose margin account starts with positions, orders and history."""

    quotes: bool = True
    """False: an account of the site without being a customer, so no quote token is given."""

    def owns(self, account_number: str) -> bool:
        return any(account.number == account_number for account in self.accounts)


class Customers:
    """Finds the customer behind a grant, an id or an account number."""

    def __init__(self) -> None:
        self._by_token: dict[str, Customer] = {}
        self._by_account: dict[str, Customer] = {}

    def of_grant(self, refresh_token: str) -> Customer:
        """Returns the customer of a refresh token, made at the first call for that token."""
        customer = self._by_token.get(refresh_token)
        if customer is None:
            customer = (
                _DEMO if refresh_token == DEMO_REFRESH_TOKEN else _derive_customer(refresh_token)
            )
            self._by_token[refresh_token] = customer
            self._by_account |= {account.number: customer for account in customer.accounts}

        return customer

    def of_account(self, account_number: str) -> Customer | None:
        """Returns the owner of an account, if anybody has logged in who has it."""
        return self._by_account.get(account_number)

    def all(self) -> Mapping[str, Customer]:
        """Returns everybody who has logged in so far, by id."""
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
        # A name for the one refusal that belongs to a person and not to a call.
        quotes="not-a-customer" not in refresh_token,
    )


def _derive_account_number(digest: bytes) -> str:
    # Eight characters as at the broker. `5WT0000` is left to the demo customer: six places of 34
    # letters make a collision with it, or with another token, a matter of one in 1.5 billion.
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
