"""The links of the chain, one file each; `server.rpc.chain.CHAIN` says in which order, and why."""

from __future__ import annotations
