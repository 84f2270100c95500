"""The SDK is there without pandas, and pandas is there for whoever wants it."""

from __future__ import annotations

import subprocess
import sys

from tests.effort import LONG

PROGRAM = """
import sys
import server.app
assert "tastytrade" not in sys.modules, "the start imports the SDK"
import server.brokerage.transport.connection
assert "tastytrade" in sys.modules
assert "pandas" not in sys.modules, "the stand-in, or pandas itself, is left behind"
import server.brokerage.streaming.dxlink
assert "pandas" not in sys.modules
from tastytrade.utils import get_third_friday
try:
    get_third_friday()
except AttributeError as missing:
    assert "market-time" in str(missing)
else:
    raise AssertionError("a helper without its calendar pretends")
import importlib.util
assert importlib.util.find_spec("pandas").origin.endswith("__init__.py")
"""
IMPORT = """
import pandas
assert pandas.Timestamp("2025-12-19").year == 2025
"""
"""A quarter as long again as all before it, for what has just been found."""


def test_a_fresh_process_has_the_sdk_and_no_pandas() -> None:
    program = PROGRAM + (IMPORT if LONG else "")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
