"""The commands about points with their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Plain = Callable[[Any, str, str], argparse.ArgumentParser]
Group = Callable[[Any, str, str], Any]
_WHO: dict[str, Any] = {"dest": "by", "metavar": "NAME", "help": "who does it"}


def add(commands: Any, plain: Plain, group: Group) -> None:
    """Add them; `plain` makes a command, `group` one that has actions."""
    _programme(group(commands, "programme", "the programme of points"), plain)
    _loyalty(group(commands, "loyalty", "points of customers"), plain)
    loading = group(commands, "import", "what an older system knew")
    points = plain(loading, "points", "load opening balances from a CSV file, as one batch")
    points.add_argument("file", nargs="?", type=Path, metavar="FILE", help="columns customer, points, expires, reason")
    points.add_argument("--dry-run", action="store_true", help="say what would be loaded, and load nothing")
    points.add_argument("--undo", type=_number, metavar="ID", help="take this batch back as a whole")
    points.add_argument("--report", type=Path, metavar="FILE", help="write every line that is wrong to a CSV file")
    points.add_argument("--as", default="owner", **_WHO)


def _programme(actions: Any, plain: Plain) -> None:
    for name, words in (
        ("check", "look through a file and say what is wrong or does not fit together"),
        ("load", "let a file be the programme, from its day on or from now on"),
    ):
        plain(actions, name, words).add_argument("file", type=Path, metavar="FILE", help="a TOML file")
    showing = plain(actions, "show", "show the programme of now, or a version")
    showing.add_argument("version", nargs="?", type=_number, metavar="VERSION", help="as `programme list` shows it")
    plain(actions, "list", "list all versions")


def _loyalty(actions: Any, plain: Plain) -> None:
    showing = plain(actions, "show", "show what a customer holds, and the last entries")
    showing.add_argument("--most", type=int, default=10, help="how many entries (10)")
    adjusting = plain(actions, "adjust", "give (+) or take (-) points; many only with a second person")
    freezing = plain(actions, "freeze", "let a customer's points not be spent any more")
    freeing = plain(actions, "unfreeze", "let them be spent again")
    for command in (showing, adjusting, freezing, freeing):
        command.add_argument("customer", metavar="CUSTOMER", help="your id of the customer")
    adjusting.add_argument("points", type=_signed, metavar="POINTS", help="such as 50 or -50")
    for command in (adjusting, freezing):
        command.add_argument("reason", nargs="+", metavar="REASON", help="why")
    adjusting.add_argument("--key", help="your own id of this adjustment: the same key again changes nothing")
    adjusting.add_argument("--as", required=True, **_WHO)
    for command in (freezing, freeing):
        command.add_argument("--as", default="owner", **_WHO)
    plain(actions, "adjustments", "list those that wait for a second person")
    for name, words in (("approve", "let an adjustment be, as a second person"), ("refuse", "let it not be")):
        deciding = plain(actions, name, words)
        deciding.add_argument("number", type=_number, metavar="NUMBER", help="as `loyalty adjustments` shows it")
        deciding.add_argument("--as", required=True, **_WHO)
    explaining = plain(actions, "explain", "say which rules fired for an order, which did not, and why")
    explaining.add_argument("order", metavar="ORDER", help="the order's code")
    explaining.add_argument("--source", help="where several sources have an order of that code")
    plain(actions, "check", "count the whole ledger anew and say what does not agree")


def _number(raw: str) -> int:
    if not (raw.isascii() and raw.isdecimal()) or int(raw) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{raw!r} is no number of one")
    return int(raw)


def _signed(raw: str) -> int:
    digits = raw.removeprefix("+").removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 12 or len(raw) - len(digits) > 1:
        raise argparse.ArgumentTypeError(f"{raw!r} is no whole number of points")
    return int(raw)
