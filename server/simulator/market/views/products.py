"""Renders futures products and the option products on them as the broker does.

A product of the small exchange has no legacy codes (`legacy-code`, `clearport-code`), and only a
product on an index names the index.
"""

from __future__ import annotations

__all__ = ["option_product_json", "product_json"]

from datetime import time
from typing import Any

from server.simulator.market.products import OptionProduct, Product
from server.simulator.market.stocks import STOCKS
from server.simulator.market.views.decimals import format_decimal

_SMALL = "SMALLS"
_CLEARING = {"XCME": "16", "XCBT": "01", "XNYM": "07", "XCEC": "04", "XCBF": "CF", "SMFE": "5S"}
_CUTOFFS = {
    "index": time(9, 30),
    "oil": time(14, 30),
    "gold": time(13, 30),
    "bond": time(13, 1),
    "currency": time(10, 16),
    "volatility": time(9),
    "small": time(16),
}


def product_json(product: Product, *, options: bool) -> dict[str, Any]:
    """Renders a product, with its option products if they are asked for and there are any."""
    small = product.exchange == _SMALL
    body: dict[str, Any] = {
        "active-months": list(product.months),
        "back-month-first-calendar-symbol": product.rule == "index",
        "cash-settled": product.cash_settled,
        "clearing-code": product.code[:2],
        "clearing-exchange-code": _CLEARING[product.streamer_exchange],
    }
    if not small:
        body["clearport-code"] = product.code

    body |= {
        "code": product.code,
        "description": product.description,
        "display-factor": format_decimal(product.display_factor),
        "exchange": product.exchange,
        "first-notice": not product.cash_settled,
    }
    if not small:
        body |= {"legacy-code": product.code, "legacy-exchange-code": product.exchange}

    body |= {
        "listed-months": list(product.months),
        "market-sector": product.sector,
        "notional-multiplier": format_decimal(product.multiplier),
        "product-type": "Financial" if product.cash_settled else "Physical",
        "security-group": product.code,
        "small-notional": product.small,
        "streamer-exchange-code": product.streamer_exchange,
        "supported": True,
        "root-symbol": product.root,
        "tick-size": format_decimal(product.tick),
    }
    if product.identifier:
        index = STOCKS.get(product.identifier)
        body |= {
            "underlying-description": index.name if index else product.description,
            "underlying-identifier": product.identifier,
        }

    if options and product.options:
        body["option-products"] = [option_product_json(product, each) for each in product.options]

    body |= {
        "roll": {
            "active-count": product.listed,
            "business-days-offset": product.roll_days,
            "cash-settled": product.cash_settled,
            "first-notice": not product.cash_settled,
            "name": f"{product.rule}_{product.code.lower()}",
        },
        "futures-trading-cutoff-times": _cutoff(_CUTOFFS[product.rule]),
    }
    return body


def option_product_json(product: Product, option: OptionProduct) -> dict[str, Any]:
    """Renders an option product without the product that it belongs to."""
    kinds = {
        "quarterly": "Regular",
        "monthly": "Regular",
        "week": "Weekly",
        "month-end": "End-Of-Month",
    }
    return {
        "cash-settled": False,
        "clearing-code": option.clearing_code,
        "clearing-exchange-code": _CLEARING[product.streamer_exchange],
        "clearing-price-multiplier": "1.0",
        "clearport-code": option.root,
        "code": option.root,
        "display-factor": format_decimal(product.display_factor),
        "exchange": product.exchange,
        "expiration-type": kinds[option.schedule],
        "is-am-settled": option.am_settled,
        "is-rollover": option.schedule == "month-end",
        "legacy-code": option.root,
        "market-sector": product.sector,
        "product-type": "Physical",
        "root-symbol": option.root,
        "settlement-delay-days": 0,
        "supported": True,
        "futures-trading-cutoff-times": _cutoff(time(9, 30) if option.am_settled else time(16)),
    }


def _cutoff(clock: time) -> list[dict[str, Any]]:
    return [
        {
            "offset-seconds": clock.hour * 3600 + clock.minute * 60,
            "timezone": "Market Zone",
            "timing": "Default",
        }
    ]
