"""The commands about broadcasts with their options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.commands.points_arguments import Group, Plain

_WHO: dict[str, Any] = {"dest": "by", "required": True, "metavar": "NAME", "help": "who does it"}


def add(commands: Any, plain: Plain, group: Group) -> None:
    """Add them; `plain` makes a command, `group` one that has actions."""
    actions = group(commands, "broadcast", "one message to many")
    drafting = plain(actions, "draft", "write a new one")
    drafting.add_argument("name", metavar="NAME", help="what staff call it")
    drafting.add_argument(
        "--purpose", choices=("broadcast", "care", "transaction"), default="broadcast", help="why (broadcast)"
    )
    editing = plain(actions, "edit", "change one that is not frozen yet; it is a draft again")
    editing.add_argument("id", type=int, metavar="ID")
    editing.add_argument("--name", metavar="NAME", help="what staff call it")
    for command in (drafting, editing):
        command.add_argument("--to", required=command is drafting, metavar="SEGMENT", help="a segment, or a saved one")
        command.add_argument("--text", metavar="TEXT", help="such as \"Chào {{ khach.ten or 'bạn' }}\"")
        command.add_argument("--picture", metavar="ADDRESS", help="a picture's https address; - for none")
        command.add_argument(
            "--button", action="append", metavar="TITLE=ADDRESS", help="a link, up to three times; - for none"
        )
    plain(actions, "list", "list the last ones")
    for name, words in (
        ("report", "say what became of everybody, by state and reason"),
        ("preview", "say who gets it which way at which cost, who does not and why, and what some read"),
        ("watch", "show how far it is until it ends or is paused"),
        ("recipients", "list who it was meant for and what became of each"),
    ):
        command = plain(actions, name, words)
        command.add_argument("id", type=int, metavar="ID")
        if name == "watch":
            command.add_argument("--once", action="store_true", help="look once")
        if name == "recipients":
            command.add_argument("--state", help="only those in this state, such as skipped or failed")
            command.add_argument("--reason", help="only those for this reason, as report names it")
            command.add_argument("--most", type=int, default=50, help="how many are shown (50)")
            command.add_argument("--out", type=Path, metavar="FILE", help="write them into this .csv or .xlsx file")
    changing = [drafting, editing]
    for name, words in (
        ("test", "send it to your own chats, as customers would get it: none is scheduled without"),
        ("approve", "agree, as a second person, with the version that you saw"),
        ("schedule", "let it begin at a moment, such as: 20h thứ 6, or now"),
        ("unschedule", "take its moment back: it is a draft again"),
        ("pause", "send no more for now"),
        ("resume", "go on with one that is paused"),
        ("cancel", "send no more, for good"),
    ):
        command = plain(actions, name, words)
        command.add_argument("id", type=int, metavar="ID")
        if name == "approve":
            command.add_argument("version", metavar="VERSION", help="the one that you saw: preview and report tell it")
        if name == "schedule":
            command.add_argument("when", nargs="+", metavar="WHEN", help="such as 20h thứ 6, 20:00 04/12/2026, or now")
        changing.append(command)
    for command in changing:
        command.add_argument("--as", **_WHO)
