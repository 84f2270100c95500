"""Renders the exchange's objects as the broker's JSON, one file per noun.

Pure functions; keys, types and missing keys are those of the recorded samples. REST routes and the
account streamer both send what is made here, so they always agree.
"""

from __future__ import annotations
