"""The broker's JSON of everything that the exchange keeps, one file a noun.

Pure functions; keys, types and missing keys are those of the recorded samples. Both the REST
routes and the account streamer send what is made here, so they cannot differ.
"""

from __future__ import annotations
