"""The edge: Envoy with our configuration in front of the gRPC server.

What the edge does is written in `envoy/envoy.yaml` and `envoy/rest.lua`, not here: this package
only fills in ports, limits and what the contract says, and runs the binary.
"""

from __future__ import annotations

__all__ = ["Envoy", "EnvoyFailed", "EnvoyMissing", "Routes", "envoy_binary", "read_routes"]

from server.edge.envoy import Envoy, EnvoyFailed, EnvoyMissing, envoy_binary
from server.edge.routes import Routes, read_routes
