"""Measures the speed targets and prints ratios to their baselines; exits with 1 if one is missed.

    python -m tests.bench [NAME ...]

Without names: all but the soak, which takes twelve minutes.
"""

from __future__ import annotations

import importlib
import sys

BY_DEFAULT = ("simulator", "parse", "fanout", "latency", "quotes", "memory", "cancelled", "rest")
ALL = (*BY_DEFAULT, "soak")


def main() -> int:
    names = sys.argv[1:] or BY_DEFAULT
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2

    met = [importlib.import_module(f"tests.bench.{name}").main() for name in names]
    missed = [name for name, fine in zip(names, met, strict=True) if not fine]
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nevery target met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
