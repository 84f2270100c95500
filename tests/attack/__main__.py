"""Attacks the API description: Schemathesis over a gateway of its own, through Envoy.

    python -m tests.attack [--examples 10] [--seed N] [--phases examples,coverage,fuzzing,stateful]

With a seed it sends the same requests every time; without one, others. Ends with 1 if a reply was
not as described, if a status was 500, or if an operation was never served, for then the attack
was a hollow one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import requests

from tests.stack import HOME, Gateway, run_gateway

HERE = Path(__file__).parent
PHASES = "examples,coverage,fuzzing,stateful"
NEVER_SERVED = {
    "POST /api/v1/confirm-order",  # the code comes from a chat
    "DELETE /api/v1/credentials/{api_key}",  # only its own key, and then the attack is over
}
"""Operations that no request of the attack can make succeed, with the reason."""

ORDERS = 10
"""Orders of each kind that wait for the attack."""
RESTING = {"legs": [{"symbol": "SPY", "action": "Buy", "quantity": 1}], "price": -1.00}
SELLING = [{"symbol": "SPY", "action": "Sell to Close", "quantity": 1}]
OCO = {
    "type": "OCO",
    "orders": [
        {"legs": SELLING, "price": 9000.00, "time_in_force": "GTC"},
        {"legs": SELLING, "order_type": "Stop", "stop_trigger": 1.00, "time_in_force": "GTC"},
    ],
}

Tally = dict[str, dict[int, int]]


def main() -> int:
    options = _options()
    # So that whoever ends it early (a time limit of CI, say) ends its gateway with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="tasty-attack-") as folder:
        tally_file = Path(folder) / "tally.json"
        with run_gateway(Path(folder) / "gateway", rate_limit=0) as gateway:
            begun = time.monotonic()
            code = _attack(options, gateway, Path(folder), tally_file)
            seconds = time.monotonic() - begun
            alive = _alive(gateway)
        tally = _read(tally_file)
    problems = _problems(tally, alive=alive)
    if not alive or any(500 in counts for counts in tally.values()):
        print("\n".join(gateway.output))  # with what was unforeseen
    _print(tally, seconds)
    print("\n".join(problems) or "no reply was undocumented, invalid or a 500")
    return code or int(bool(problems))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--examples", type=int, default=10, help="per operation and phase")
    parser.add_argument("--seed", type=int, help="for the same requests again")
    parser.add_argument("--phases", default=PHASES)
    return parser.parse_args()


def _attack(options: argparse.Namespace, gateway: Gateway, folder: Path, tally: Path) -> int:
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(_config(gateway, folder))]
    command += ["run", str(HOME / "gen" / "openapi.json"), "--url", gateway.url]
    command += ["--header", f"X-API-Key:{gateway.api_key}", "--phases", options.phases]
    command += ["--max-examples", str(options.examples), "--no-color"]
    command += ["--generation-database", "none", "--warnings", "off"]
    if options.seed is not None:
        command += ["--seed", str(options.seed)]
    files = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "TASTY_ATTACK_TALLY": str(tally)}
    env = {**os.environ, **files}
    return subprocess.run(command, env=env, cwd=folder, check=False).returncode


def _config(gateway: Gateway, folder: Path) -> Path:
    """Fills in what only the gateway knows: orders that work, dates that are listed."""
    resting = [_placed(gateway, "place-order", RESTING) for _ in range(4 * ORDERS)]
    chain = _ask(gateway, "GET", "option-chain?symbol=SPY")
    known = {
        "cancellable": resting[:ORDERS],
        "replaceable": resting[ORDERS:],
        "complex_orders": [_placed(gateway, "place-complex-order", OCO) for _ in range(ORDERS)],
        "expirations": chain["expiration_dates"][-3:],
    }
    text = (HERE / "schemathesis.toml").read_text()
    file = folder / "schemathesis.toml"
    file.write_text(re.sub(r"\$\{(\w+)\}", lambda match: json.dumps(known[match[1]]), text))
    return file


def _alive(gateway: Gateway) -> bool:
    try:
        _ask(gateway, "GET", "current-time")
    except requests.RequestException:
        return False
    return True


def _placed(gateway: Gateway, route: str, order: object) -> str:
    number: str = _ask(gateway, "POST", f"{route}?account_id={gateway.account}", order)["id"]
    return number


def _ask(gateway: Gateway, method: str, path: str, body: object = None) -> Any:
    headers = {"X-API-Key": gateway.api_key}
    url = f"{gateway.url}/api/v1/{path}"
    answer = requests.request(method, url, headers=headers, json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()


def _read(file: Path) -> Tally:
    tally: Tally = defaultdict(lambda: defaultdict(int))
    if not file.exists():
        return tally  # it did not even begin, and has said why
    for label, status, count in json.loads(file.read_text()):
        tally[label][status] += count
    return tally


def _problems(tally: Tally, *, alive: bool) -> list[str]:
    found = [
        f"{label}: {counts[500]} times 500" for label, counts in tally.items() if 500 in counts
    ]
    found += [
        f"{label}: never served, so never attacked behind its first check"
        for label, counts in tally.items()
        if not {200, 501} & counts.keys() and label not in NEVER_SERVED
    ]
    return found if alive else [*found, "the gateway, or its demo tenant, did not survive"]


def _print(tally: Tally, seconds: float) -> None:
    statuses = sorted({status for counts in tally.values() for status in counts})
    width = max(map(len, tally), default=0)
    print("\n" + " " * width, *(f"{status:>6}" for status in statuses))
    for label, counts in tally.items():
        print(f"{label:<{width}}", *(f"{counts.get(status, ''):>6}" for status in statuses))
    total = sum(sum(counts.values()) for counts in tally.values())
    print(f"{total} requests in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
