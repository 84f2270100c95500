"""Becomes another program that ends when the process that started it does.

Run as a script, and it imports nothing of ours: `python -I -S leash.py PARENT_PID PROGRAM ARG...`.
It asks the kernel for the signal and then executes the program in its own place, so that no
process stays between. A `preexec_fn` would do the same, but makes a fork of a process that may
have gRPC threads, which is not safe.

On the way it raises the limit of open files as far as that may go: a connection is an open file,
and the usual soft limit of 1024 is for programs that still use `select`.

Only Linux has this. Elsewhere the program runs unleashed: an ordinary stop still ends it, only a
`kill -9` of its parent does not.
"""

from __future__ import annotations

__all__: list[str] = []

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            sys.exit(1)
    raise_file_limit()
    os.execv(command[0], command)  # noqa: S606  # no shell is what we want


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # macOS says "infinite" and does not mean it
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
