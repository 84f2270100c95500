"""The accounts of a tenant: a request may name one of these and no other."""

from __future__ import annotations

__all__ = ["Account", "read_account"]

from dataclasses import dataclass

from server.brokerage.api.json_reader import JsonReader, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One open account."""

    number: str
    nickname: str | None
    account_type: str | None
    margin_or_cash: str | None
    is_closed: bool


def read_account(item: JsonReader) -> Account:
    account = item.item("account")
    if account is None:
        raise Unreadable("account")

    return Account(
        number=account.identity("account-number"),
        nickname=account.text("nickname"),
        account_type=account.text("account-type-name"),
        margin_or_cash=account.text("margin-or-cash"),
        is_closed=account.flag("is-closed") or False,
    )
