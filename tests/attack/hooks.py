"""What Schemathesis does not know of us: the shape of every error, and a tally of the answers.

Schemathesis loads this file by its path (SCHEMATHESIS_HOOKS); the tally goes to TASTY_ATTACK_TALLY.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

_tally: Counter[tuple[str, int]] = Counter()
_lock = Lock()


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Takes away the price in the query of a change, which is there for older clients.

    A document cannot say "in the body or in the query, not in both", so with it hardly any request
    would get past that check.
    """
    replace = raw_schema["paths"]["/api/v1/replace-order/{order_id}"]["post"]
    replace["parameters"] = [each for each in replace["parameters"] if each["name"] != "price"]


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    with _lock:
        _tally[case.operation.label, response.status_code] += 1


@schemathesis.check
def every_error_is_a_detail(ctx: CheckContext, response: Response, case: Case) -> None:
    """Also one of a status that the document does not have, and one that Envoy made."""
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or list(body) != ["detail"]:
        raise AssertionError(f"{response.status_code} is not an error of the guide's shape")
    if not isinstance(body["detail"], str) or not body["detail"].strip():
        raise AssertionError("the error says nothing")


@atexit.register
def _write() -> None:
    rows = [[label, status, count] for (label, status), count in sorted(_tally.items())]
    Path(os.environ["TASTY_ATTACK_TALLY"]).write_text(json.dumps(rows))
