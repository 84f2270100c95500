"""Measures the speed targets and prints ratios to their baselines; exits with 1 if one is missed.

    python -m tests.bench [NAME [--OPTION VALUE ...] ...]

Without names: all but the soak, which takes twelve minutes, and the neighbours, which take longer.
Options belong to the name before them: `neighbours --seconds 20 --only silent`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

BY_DEFAULT = ("simulator", "parse", "fanout", "latency", "quotes", "memory", "cancelled", "rest")
ALL = (*BY_DEFAULT, "soak", "neighbours")


def asked(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Returns the names in their order, each with its options."""
    benches: list[tuple[str, list[str]]] = []
    before = ""
    for argument in arguments:
        is_option = argument.startswith("--")
        is_value = before.startswith("--") and "=" not in before
        if benches and (is_option or is_value):
            benches[-1][1].append(argument)
        else:
            benches.append((argument, []))

        before = argument

    return benches


def main() -> int:
    benches = asked(sys.argv[1:] or BY_DEFAULT)
    unknown = [name for name, _ in benches if name not in ALL]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2

    missed = [
        name
        for name, options in benches
        if not importlib.import_module(f"tests.bench.{name}").main(*options)
    ]
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nevery target met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
