"""Extracts orders, symbols and dates from a sentence by patterns.

What no pattern finds is asked for and never guessed: a sentence without a symbol is no order.
"""

from __future__ import annotations

__all__ = ["find_order", "find_order_number", "find_symbols"]

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

NOT_SYMBOLS = frozenset(
    [
        "A",
        "I",
        "AI",
        "AM",
        "AN",
        "ARE",
        "AT",
        "BE",
        "BY",
        "DAY",
        "DO",
        "ETF",
        "FOR",
        "GET",
        "GTC",
        "HI",
        "HOW",
        "IN",
        "IOC",
        "IS",
        "IT",
        "IV",
        "IVR",
        "ME",
        "MY",
        "NO",
        "NOT",
        "OF",
        "OK",
        "ON",
        "OR",
        "P",
        "PLEASE",
        "PM",
        "THE",
        "TO",
        "US",
        "USD",
        "VS",
        "WHAT",
        "Y",
        "YES",
        "YTD",
        "C",
        "CALL",
        "CALLS",
        "PUT",
        "PUTS",
        "BUY",
        "SELL",
        "OPEN",
        "CLOSE",
    ]
)
UPPER = re.compile(r"(?<![A-Za-z0-9/])\$?(/[A-Z]{1,3}|[A-Z]{1,5}(?:/[A-Z])?)(?![A-Za-z0-9])")
LOWER = re.compile(r"\b(?:for|of|on|is|at)\s+\$?([a-z]{1,5})\b(?!\s+(?:to|open|close))")
STOP_WORDS = frozenset(
    [
        "my",
        "the",
        "a",
        "an",
        "all",
        "me",
        "it",
        "its",
        "this",
        "that",
        "today",
        "now",
        "us",
        "each",
        "every",
        "any",
        "some",
        "what",
        "how",
        "much",
        "many",
    ]
)
ORDER_NUMBER = re.compile(r"\border\s+(?:number\s+|no\.?\s*|#\s*)?(\d{3,})\b", re.IGNORECASE)
ORDER = re.compile(
    r"\b(?P<side>buy|sell)(?:ing)?\b"
    r"(?:\s+to\s+(?P<effect>open|close))?"
    r"\s+(?P<quantity>\d+(?:\.\d+)?|an?|one|two|three)?\s*(?:x\s+)?"
    r"(?:shares?\s+|contracts?\s+)?(?:of\s+)?"
    r"\$?(?P<symbol>/?[A-Z]{1,5}(?:/[A-Z])?)\b"
    r"(?:\s+\$?(?P<strike>\d+(?:\.\d+)?)\s*(?P<kind>C|P|calls?|puts?)\b)?",
    re.IGNORECASE,
)
EXPIRATION = re.compile(
    r"\b(?P<iso>\d{4}-\d\d-\d\d)\b|\b(?P<month>\d{1,2})/(?P<day>\d{1,2})(?:/(?P<year>\d{2,4}))?\b"
)
PRICE = re.compile(r"(?:\bat\b|@|\blimit\b(?:\s+of)?)\s*\$?(?P<price>\d+(?:\.\d+)?)", re.IGNORECASE)
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOrder:
    """Holds an order as a sentence describes it."""

    order: dict[str, Any]
    """In the form of the tool `place_order`."""
    missing: str = ""
    """What the sentence fails to say; empty if nothing."""


def find_symbols(text: str) -> list[str]:
    """Returns each symbol once, in order.

    Words in lower case count only after "for", "of" and the like.
    """
    found = [each for each in UPPER.findall(text) if each not in NOT_SYMBOLS]
    if not found:
        words = [each for each in LOWER.findall(text) if each not in STOP_WORDS]
        found = [each.upper() for each in words if each.upper() not in NOT_SYMBOLS]

    return list(dict.fromkeys(found))


def find_order_number(text: str) -> str:
    """Returns the number of an order; empty if there is none."""
    found = ORDER_NUMBER.search(text)
    return found[1] if found else ""


def find_order(text: str, today: date) -> AskedOrder | None:
    """Returns the order that a sentence asks for; None if it asks for none."""
    found = ORDER.search(text)
    if found is None or found["symbol"].upper() in NOT_SYMBOLS:
        return None

    side = found["side"].capitalize()
    leg: dict[str, Any] = {
        "symbol": found["symbol"].upper(),
        "action": side,
        "quantity": _parse_quantity(found["quantity"]),
    }
    missing = ""
    if found["strike"]:
        effect = (found["effect"] or "open").capitalize()
        expiration = _parse_expiration(text[found.end() :], today)
        leg |= {
            "option_type": found["kind"][0].upper(),
            "action": f"{side} to {effect}",
            "strike_price": float(found["strike"]),
            "expiration_date": expiration,
        }
        missing = "" if expiration else "the expiration date"
    elif found["effect"]:
        leg["action"] = f"{side} to {found['effect'].capitalize()}"

    order: dict[str, Any] = {"legs": [leg], "time_in_force": _parse_time_in_force(text)}
    if re.search(r"\bmarket order\b|\bat (?:the )?market\b", text, re.IGNORECASE):
        order["order_type"] = "Market"
    elif price := PRICE.search(text, found.end()):
        order["price"] = price["price"] if side == "Sell" else f"-{price['price']}"

    return AskedOrder(order=order, missing=missing)


def _parse_quantity(text: str | None) -> float | int:
    if text is None:
        return 1

    number = float(NUMBERS.get(text.lower(), 0) or text)
    return int(number) if number.is_integer() else number


def _parse_expiration(text: str, today: date) -> str:
    found = EXPIRATION.search(text)
    if found is None:
        return ""

    if found["iso"]:
        return found["iso"]

    month, day = int(found["month"]), int(found["day"])
    year = int(found["year"]) if found["year"] else today.year
    year += 2000 if year < 100 else 0
    try:
        expiration = date(year, month, day)
        if not found["year"] and expiration < today:
            expiration = date(year + 1, month, day)
    except ValueError:
        return ""

    return expiration.isoformat()


def _parse_time_in_force(text: str) -> str:
    if re.search(r"\bgtc\b|good till cancel", text, re.IGNORECASE):
        return "GTC"

    return "IOC" if re.search(r"\bioc\b", text, re.IGNORECASE) else "Day"
