"""Simulates tastytrade: OAuth, REST, dxLink and the account streamer on one port.

The package imports nothing else of `server`, and nothing of `server` imports it: whatever the
gateway knows of the broker it has to learn over the wire, as it would from the real one.
"""

from __future__ import annotations

__all__ = ["BrokerError", "ManualClock", "SimClock", "Simulator", "SimulatorSettings", "SystemTime"]

from server.simulator.app import Simulator
from server.simulator.clock import ManualClock, SimClock, SystemTime
from server.simulator.envelope import BrokerError
from server.simulator.settings import SimulatorSettings
