"""The command line: `sluice`, or `python -m sluice`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Becomes the program that the package brings."""
    program = Path(__file__).parent / "bin" / "sluice"
    os.execv(program, ["sluice", *sys.argv[1:]])


if __name__ == "__main__":
    main()
