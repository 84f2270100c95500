"""Compiles the protos with the compiler of grpcio-tools.

Nothing is fetched: what our protos import of Google's is in `proto/google/`. The stubs depend on
the version of grpcio-tools, which the lock pins: another one makes `gen/` look stale.
"""

from __future__ import annotations

__all__ = ["ROOT", "compile_protos"]

import re
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"


def compile_protos(into: Path, proto: Path = PROTO) -> None:
    """Writes the Python stubs and `descriptors.pb` (imports and source info) below a folder."""
    from grpc_tools import protoc  # type: ignore[import-untyped] # a development dependency; ships no types

    sources = sorted(str(path.relative_to(proto)) for path in proto.glob("tasty/v1/*.proto"))
    arguments = [
        "protoc",
        f"-I{proto}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={into}",
        f"--pyi_out={into}",
        f"--grpc_python_out={into}",
        f"--descriptor_set_out={into / 'descriptors.pb'}",
        "--include_imports",
        "--include_source_info",
        *sources,
    ]

    if protoc.main(arguments) != 0:
        raise SystemExit("protoc refused the protos; its words are above.")

    for stub in into.rglob("*_pb2_grpc.py"):
        if not stub.name.endswith("_service_pb2_grpc.py"):
            stub.unlink()  # protoc writes one for each file; without a service it holds nothing

    for types in into.rglob("*_pb2.pyi"):
        # protoc calls the numbers of extensions class variables, which type checkers refuse.
        text = types.read_text()
        types.write_text(re.sub(r"(?m)^(\w+): _ClassVar\[int\]$", r"\1: int", text))
