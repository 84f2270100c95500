"""Measures the speed targets: `python -m tests.bench [name ...]`, all of them by default.

Exits with 1 when a target is missed. The figures are of this machine and this minute; the ratios,
each taken in one run beside the thing that it is held against, are what counts.
"""

from __future__ import annotations

import sys

from tests.bench import fanout, latency, parse

BENCHES = {"fanout": fanout.main, "latency": latency.main, "parse": parse.main}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2

    met = [BENCHES[name]() for name in names or BENCHES]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
