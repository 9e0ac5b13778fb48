"""Khách Quen's own command line with other work beside it: `python -m benchmarks.product --beside WORK serve …`."""

from __future__ import annotations

import argparse

import main
from benchmarks.beside import WORK


def run() -> None:
    """Start the work, then the command; what follows `--beside WORK` goes to the product unchanged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", choices=sorted(WORK), required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    WORK[options.beside]()
    raise SystemExit(main.main(options.command))


if __name__ == "__main__":
    run()
