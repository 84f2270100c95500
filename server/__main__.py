"""`python -m server`: the command line; without a command it prints what there is."""

from __future__ import annotations

from server.cli import main

if __name__ == "__main__":
    main()
