"""What the children say: to the terminal with a name before each line, and to a file each.

A file is kept under a size by moving it aside once; a gateway that runs for months does not fill
the disk, and the day before the crash is still there.
"""

from __future__ import annotations

__all__ = ["Console", "NoFolder"]

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import TextIO

LARGEST_FILE = 20 * 1024 * 1024
COLOURS = {"simulator": 35, "server": 36, "edge": 33}
WIDTH = max(map(len, COLOURS))


class NoFolder(Exception):
    """The logs cannot be kept where the settings say."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"Cannot write in {folder} ({why.lower()}). Set TASTY_DATA_DIR to another folder."
        )


class Console:
    """Writes for a person, while it is entered."""

    def __init__(self, folder: Path, out: TextIO | None = None) -> None:
        self.folder = folder
        self._out = out or sys.stdout
        self._colours = self._out.isatty()
        self._files = ExitStack()

    def __enter__(self) -> Console:
        """Raises NoFolder where nothing can be kept."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoFolder(self.folder, error.strerror or "no reason given") from error

        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise NoFolder(self.folder, "Permission denied")

        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._files.close()

    def say(self, text: str) -> None:
        """Prints our own words."""
        # Whoever read our output may be gone; the gateway must still be able to stop.
        with suppress(OSError):
            print(text, file=self._out, flush=True)  # a program speaks to its user

    def lines_of(self, name: str) -> Callable[[str], None]:
        """Returns what takes the lines of the child called `name`."""
        try:
            file = self._files.enter_context(_LogFile(self.folder / f"{name}.log"))
        except OSError as error:
            raise NoFolder(self.folder, error.strerror or "no reason given") from error

        prefix = f"{name:<{WIDTH}} │ "
        if self._colours:
            prefix = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m"

        def take(line: str) -> None:
            file.write(line)
            self.say(prefix + line)

        return take


class _LogFile:
    """One file and the one before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._open()

    def __enter__(self) -> _LogFile:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):  # as below
            self._file.close()

    def write(self, line: str) -> None:
        """Keeps a line; one that the disk has no room for is lost here, and was printed anyway."""
        with suppress(OSError):
            if self._file.tell() > LARGEST_FILE:
                self._path.replace(self._path.with_suffix(".log.old"))
                old, self._file = self._file, self._open()
                old.close()
            self._file.write(f"{line}\n".encode())

    def _open(self) -> FileIO:
        # Without a buffer: what could not be written is not tried again with the next line.
        return self._path.open("ab", buffering=0)
