"""Injects faults on demand: what to break, where, and how often.

A fault waits in the list until something matches it, and is removed after `count` matches. REST
calls, the feed and the account streamer all ask the same list. A test adds faults with
`sim.faults.add(Fault(...))`, another program over `/_admin/faults`.
"""

from __future__ import annotations

__all__ = ["KINDS", "MODEL_KINDS", "Fault", "FaultStatistics", "Faults", "parse_fault"]

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from server.simulator.envelope import BrokerError

REST_KINDS = {
    "status": "answers `status` with the broker's error envelope, `code` and `message`",
    "html": "answers `status` (502) with a page of HTML",
    "slow": "answers, `delay` later than it would",
    "hang": "never answers; the connection stays open",
    "reset": "cuts the connection before anything is done",
    "lost-answer": "does what was asked, then cuts the connection instead of answering",
    "cut-answer": "does what was asked, sends half of the answer, then cuts the connection",
    "expired-token": "treats a good access token as expired (401)",
    "revoked-grant": "answers a token request with `invalid_grant`",
    "rate-limit": "answers 429",
}
SOCKET_KINDS = {
    "refuse": "refuses the WebSocket upgrade with `status` (502)",
    "drop": "cuts the TCP connection without a close frame",
    "close": "closes with WebSocket `code` (1012)",
    "mute": "sends nothing any more, not even keepalives; still reads",
    "mute-data": "sends no data any more; keepalives go on",
    "half-open": "neither reads nor writes any more; the connection stays open",
    "duplicate": "sends a message twice",
    "reorder": "sends a message after the one that follows it",
    "slow": "sends a message `delay` late, and all after it",
    "error": "sends an ERROR message of type `code` with `message`",
    "expire-token": "ends the authorization (feed) or refuses the token (account streamer)",
}
MODEL_KINDS = {
    "model-throttled": "the stand-in model answers 429 with `delay` as retry-after",
    "model-overloaded": "answers 529",
    "model-error": "answers 500",
    "model-key": "answers 401: the key is wrong",
    "model-slow": "begins `delay` late, and pauses as long between the events of a stream",
    "model-silent": "never answers",
    "model-cut": "cuts the connection in the middle of the answer",
    "model-broken": "fails within the stream, with an error event",
    "model-malformed": "calls tools with `code` as their input, or with half of one",
    "model-endless": "calls a tool whatever it is asked",
    "model-refusal": "refuses to answer (stop_reason refusal)",
    "model-cropped": "stops in mid-sentence (stop_reason max_tokens)",
}
KINDS: Mapping[str, str] = REST_KINDS | SOCKET_KINDS | MODEL_KINDS
"""Every kind with its effect; `slow` means the same on REST and on sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Describes one fault."""

    kind: str
    """One of `KINDS`."""

    path: str = "*"
    """Which path, as a shell pattern: `/accounts/*/orders`, `/dxlink`, `/streamer`."""

    method: str = "*"
    """Which HTTP method, as a shell pattern; sockets are GET."""

    at: str = "*"
    """On sockets: the message that triggers it (`AUTH_STATE`, `FEED_DATA`, `heartbeat`, `Order`,
    …), sent or received. On the stand-in model: the name of the requested model. `now` triggers
    without a message, on every open connection that matches."""

    customer: str = "*"
    """Whose calls, as a shell pattern of customer ids."""

    skip: int = 0
    """How many matches to leave alone first."""

    count: int | None = 1
    """How many matches to break; None breaks all until the fault is removed."""

    delay: timedelta = timedelta(seconds=1)
    """`slow`: how late."""

    status: int = 0
    """`status`, `html`, `refuse`: the HTTP status; 0 is the kind's own (500, 502, 502)."""

    code: str = ""
    """`status`: error code; `close`: WebSocket code; `error`: error type; `model-malformed`: the
    tools' input as text; else the kind's own."""

    message: str = "Injected by the simulator"
    """The text of the error."""

    def matches(self, path: str, *, method: str = "GET", at: str = "", customer: str = "") -> bool:
        """Tells whether the fault applies to a call or message."""
        return (
            fnmatchcase(path, self.path)
            and fnmatchcase(method, self.method)
            and fnmatchcase(customer, self.customer)
            and fnmatchcase(at, self.at)
        )

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(KINDS)}")

        if self.skip < 0 or (self.count is not None and self.count < 1):
            raise ValueError("skip must be 0 or more, count 1 or more (or null)")

        if self.delay < timedelta():
            raise ValueError("delay must not be negative")

        if self.status and not 200 <= self.status <= 599:
            raise ValueError("status is 200 to 599 (or 0: the kind's own)")

        if self.kind == "close" and self.code and not re.fullmatch(r"[1-4][0-9]{3}", self.code):
            raise ValueError("the code of a close is a number of 1000 to 4999")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultStatistics:
    """Counts the faults that wait and those that were triggered."""

    waiting: int
    fired: Mapping[str, int] = field(default_factory=dict)
    """Number of matches that were broken, by kind."""


class Faults:
    """Keeps the list of faults; the first one that matches is used."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._ids = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self._fired: dict[str, int] = {}
        self._sockets: list[Callable[[Fault], bool]] = []
        for fault in faults:
            self.add(fault)

    def __bool__(self) -> bool:
        # Frequent calls check this first and skip the matching.
        return bool(self._faults)

    def add(self, fault: Fault) -> int:
        """Appends a fault and returns its number.

        A fault with `at` "now" is triggered here and not kept.
        """
        number = next(self._ids)
        if fault.at == "now":
            self._fire(fault)
        else:
            self._faults[number] = fault

        return number

    def remove(self, number: int) -> bool:
        """Removes a fault from the list; returns False if it is not there."""
        return self._faults.pop(number, None) is not None

    def clear(self) -> None:
        """Removes all faults."""
        self._faults.clear()

    def items(self) -> Mapping[int, Fault]:
        """Returns the waiting faults by number, with their remaining counts."""
        return dict(self._faults)

    def take(
        self,
        kinds: Mapping[str, str],
        path: str,
        *,
        method: str = "GET",
        at: str = "",
        customer: str = "",
    ) -> Fault | None:
        """Returns the first fault of `kinds` that matches, or None; counts it as triggered."""
        for number, fault in self._faults.items():
            if fault.kind not in kinds or not fault.matches(
                path, method=method, at=at, customer=customer
            ):
                continue

            if fault.skip:
                self._faults[number] = replace(fault, skip=fault.skip - 1)
                continue

            self._count(fault)
            if fault.count == 1:
                del self._faults[number]
            elif fault.count is not None:
                self._faults[number] = replace(fault, count=fault.count - 1)

            return fault

        return None

    def attach(self, socket: Callable[[Fault], bool]) -> Callable[[], None]:
        """Registers an open socket for faults with `at` "now"; returns a function that ends that.

        `socket` applies the fault to itself if it matches, and returns whether it did.
        """
        self._sockets.append(socket)
        return lambda: self._sockets.remove(socket)

    def statistics(self) -> FaultStatistics:
        return FaultStatistics(waiting=len(self._faults), fired=dict(self._fired))

    def _fire(self, fault: Fault) -> None:
        skip, left = fault.skip, fault.count
        for socket in tuple(self._sockets):
            if left == 0:
                return

            if skip:
                skip -= 1
            elif socket(fault):
                self._count(fault)
                left = None if left is None else left - 1

    def _count(self, fault: Fault) -> None:
        self._fired[fault.kind] = self._fired.get(fault.kind, 0) + 1


def parse_fault(given: Any) -> Fault:
    """Parses a fault from JSON: the names of `Fault`'s fields, `delay` in seconds."""
    if not isinstance(given, dict):
        raise BrokerError(400, "invalid_fault", "A fault is a JSON object.")

    if unknown := given.keys() - _TYPES.keys():
        raise BrokerError(400, "invalid_fault", f"Unknown: {', '.join(sorted(unknown))}.")

    for name, value in given.items():
        wanted = (int, type(None)) if name == "count" else _TYPES[name]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise BrokerError(400, "invalid_fault", f"{name} has the wrong type.")

    try:
        delay = given.get("delay")
        return Fault(**given | ({} if delay is None else {"delay": timedelta(seconds=delay)}))
    except OverflowError as error:
        raise BrokerError(400, "invalid_fault", "delay is out of range.") from error
    except (TypeError, ValueError) as error:
        raise BrokerError(400, "invalid_fault", str(error)) from error


_TYPES: dict[str, tuple[type, ...]] = {
    one.name: {"int": (int,), "timedelta": (int, float)}.get(str(one.type), (str,))
    for one in fields(Fault)
}
