"""The commands about segments with their options."""

from __future__ import annotations

from typing import Any

from bot.commands.points_arguments import Group, Plain

_TEXT: dict[str, Any] = {"metavar": "TEXT", "help": "such as 'hang>=vang va mua<90ngay', or a saved one's name"}


def add(commands: Any, plain: Plain, group: Group) -> None:
    """Add them; `plain` makes a command, `group` one that has actions."""
    actions = group(commands, "segment", "audiences: who is meant by a line of text")
    counting = plain(actions, "count", "say how many are meant")
    counting.add_argument("text", **_TEXT)
    counting.add_argument("--sample", type=int, default=0, metavar="N", help="show so many of them, too (0)")
    asking = plain(actions, "why", "say why a customer is in a segment or not, clause by clause")
    asking.add_argument("customer", metavar="CUSTOMER", help="your id of the customer")
    asking.add_argument("text", **_TEXT)
    saving = plain(actions, "save", "keep a text under a name, as its next version")
    saving.add_argument("name", metavar="NAME", help="such as vip_moi; others use it as nhom:vip_moi")
    saving.add_argument("text", **_TEXT)
    plain(actions, "list", "list what is saved")
    plain(actions, "history", "list all versions of a saved one").add_argument("name", metavar="NAME")
    plain(actions, "words", "list what can be asked")
