"""The commands about care rules with their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Plain = Callable[[Any, str, str], argparse.ArgumentParser]
Group = Callable[[Any, str, str], Any]
_WHO: dict[str, Any] = {"dest": "by", "metavar": "NAME", "default": "owner", "help": "who does it (owner)"}


def add(commands: Any, plain: Plain, group: Group) -> None:
    """Add them; `plain` makes a command, `group` one that has actions."""
    actions = group(commands, "care", "the rules by which care messages go out by themselves")
    plain(actions, "list", "list all rules, how each stands and what became of its messages")
    for name, words in (
        ("check", "look through files and say what is wrong or does not fit together"),
        ("load", "keep files as the newest versions of their rules; none is turned on by that"),
    ):
        reading = plain(actions, name, words)
        reading.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a TOML file, one rule in each")
        reading.add_argument("--shipped", action="store_true", help="those that come with the product, too")
        if name == "load":
            reading.add_argument("--as", **_WHO)
    showing = plain(actions, "show", "print the text of a rule")
    previewing = plain(actions, "preview", "say what a rule will do for a customer, and when; changes nothing")
    reporting = plain(actions, "report", "say what became of a rule's messages, and why some did not go out")
    changing = [
        plain(actions, name, words)
        for name, words in (
            ("activate", "turn a rule on, for what happens from now on, in its newest version"),
            ("pause", "let nothing of a rule go out until it is activated again"),
            ("off", "end a rule: what waits is not sent"),
        )
    ]
    for command in (showing, previewing, reporting, *changing):
        command.add_argument("rule", metavar="RULE", help="as `care list` shows it")
    for command in changing:
        command.add_argument("--as", **_WHO)
    showing.add_argument("version", nargs="?", type=int, metavar="VERSION", help="which version (the newest)")
    previewing.add_argument("--customer", required=True, metavar="CUSTOMER", help="your id of the customer")
    previewing.add_argument("--at", metavar="DAY", help="until the end of this day, such as 2027-03-01 (in a year)")
