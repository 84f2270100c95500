"""HTTP/2 frame by frame, for tests that a well-behaved client cannot write.

It encodes headers without compression and does not decode any: what an answer means is read off its
frames and its body.
"""

from __future__ import annotations

__all__ = ["Frame", "Http2", "block", "frame"]

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame that came from the server."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def error(self) -> int:
        """The error code of a RST_STREAM or a GOAWAY."""
        at = 4 if self.kind == GOAWAY else 0
        code: int = struct.unpack(">I", self.payload[at : at + 4])[0]
        return code


class Http2:
    """One connection, past its preface."""

    def __init__(self, port: int, timeout: float = 5) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._received = b""
        self.send(PREFACE + frame(SETTINGS, 0, 0))

    def __enter__(self) -> Http2:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Sends bytes as they are; a server that has hung up is no error."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def request(self, stream: int, path: str, *, method: str = "GET", end: bool = True) -> None:
        """Opens a stream; its body follows unless `end`."""
        flags = END_HEADERS | (END_STREAM if end else 0)
        self.send(frame(HEADERS, flags, stream, block(path, method=method)))

    def call(
        self,
        stream: int,
        path: str,
        message: bytes = b"",
        *,
        more: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Calls an rpc over gRPC with one message, and `more` as its metadata."""
        of_grpc = (("content-type", "application/grpc"), ("te", "trailers"), *more)
        headers = frame(HEADERS, END_HEADERS, stream, block(path, method="POST", more=of_grpc))
        body = struct.pack(">BI", 0, len(message)) + message
        self.send(headers + frame(DATA, END_STREAM, stream, body))

    def frames(self) -> Iterator[Frame]:
        """Yields what the server sends until it hangs up; a silence is a TimeoutError."""
        while True:
            while len(self._received) < 9 or len(self._received) < 9 + self._size():
                try:
                    data = self._socket.recv(65536)
                except ConnectionResetError:
                    return
                if not data:
                    return
                self._received += data
            size = self._size()
            kind, flags, stream = struct.unpack(">xxxBBI", self._received[:9])
            payload, self._received = self._received[9 : 9 + size], self._received[9 + size :]
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            yield Frame(kind=kind, flags=flags, stream=stream & 0x7FFFFFFF, payload=payload)

    def answer(self, stream: int) -> bytes:
        """Returns the body of the answer on `stream`, complete."""
        body = b""
        for one in self.frames():
            if one.stream == stream:
                assert one.kind != RST_STREAM, f"reset with {one.error}"
                body += one.payload if one.kind == DATA else b""
                if one.kind in (DATA, HEADERS) and one.flags & END_STREAM:
                    return body
        raise AssertionError("the server hung up")

    def _size(self) -> int:
        return int.from_bytes(self._received[:3], "big")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Returns one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def block(path: str, *, method: str = "GET", more: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Returns a block of request headers, all literal."""
    pseudo = ((":method", method), (":scheme", "http"), (":path", path), (":authority", "a"))
    return b"".join(literal(name, value) for name, value in (*pseudo, *more))


def literal(name: str, value: str) -> bytes:
    """Returns one header field, new to the table and not added to it."""
    return b"\0" + _text(name) + _text(value)


def _text(text: str) -> bytes:
    raw = text.encode()
    size = len(raw)
    if size < 127:
        return bytes([size]) + raw
    size -= 127
    prefix = b"\x7f"
    while size >= 128:
        prefix += bytes([size % 128 + 128])
        size //= 128
    return prefix + bytes([size]) + raw
