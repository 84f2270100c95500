"""The gRPC face of the gateway: the chain, the servicers, the one map from errors to statuses."""

from __future__ import annotations
