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

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

_tally: Counter[tuple[str, int]] = Counter()
_lock = Lock()


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
