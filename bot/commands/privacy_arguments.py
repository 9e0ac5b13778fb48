"""The options of `khachquen privacy` and `khachquen consent`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

_WHO = "the POS's id, a phone number, or our number as in #123"


def add(commands: Any, plain: Callable[..., argparse.ArgumentParser], group: Callable[..., Any]) -> None:
    """Add both commands."""
    actions = group(
        commands, "privacy", "requests of customers about their own data, with the days that the law leaves"
    )
    listing = plain(actions, "list", "list the open requests, with what is due when")
    listing.add_argument("--all", action="store_true", help="those that have ended, too")
    showing = plain(actions, "show", "show one request")
    showing.add_argument("--save", type=Path, metavar="FILE", help="write all that is held of who asked into this file")
    answering = plain(actions, "answer", "note that the customer was told that we are at it")
    done = plain(actions, "done", "note that it is done; a request to erase is carried out")
    done.add_argument("--note", metavar="TEXT", help="what was done")
    done.add_argument("--yes", action="store_true", help="erase for good")
    refusing = plain(actions, "refuse", "note that it is not done")
    refusing.add_argument("--why", required=True, metavar="TEXT", help="the reason that the customer is told")
    for command in (showing, answering, done, refusing):
        command.add_argument("number", type=int, metavar="NUMBER", help="of the request")
    exporting = plain(actions, "export", "write all that is held of one customer into a file, as JSON")
    exporting.add_argument("customer", metavar="CUSTOMER", help=_WHO)
    exporting.add_argument("file", type=Path, metavar="FILE")
    _consent(commands, plain, group)


def _consent(commands: Any, plain: Callable[..., argparse.ArgumentParser], group: Callable[..., Any]) -> None:
    actions = group(commands, "consent", "what customers agreed to and took back, with the proof")
    showing = plain(actions, "show", "show a customer's words, oldest first, with what they had been told")
    exporting = plain(actions, "export", "write everybody's words with their proof into a file, one JSON object a line")
    exporting.add_argument("file", type=Path, metavar="FILE")
    recording = plain(actions, "record", "write down a yes or no that was given on paper or at the till")
    recording.add_argument("word", choices=("yes", "no"))
    for command in (showing, recording):
        command.add_argument("customer", metavar="CUSTOMER", help=_WHO)
    recording.add_argument("--purpose", choices=("marketing", "care"), default="marketing")
    recording.add_argument("--channel", choices=("zalo", "messenger"), help="the one that it is about (all)")
    recording.add_argument(
        "--at", type=moment, metavar="TIME", help="when it was given, as 2026-11-23T10:00+07:00 (now)"
    )
    recording.add_argument("--wording", default="", metavar="TEXT", help="where and how, such as the form's number")


def moment(raw: str) -> datetime:
    """A time with its offset; raises ArgumentTypeError."""
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{raw!r} is no time with an offset, such as 2026-11-23T10:00+07:00")
    return at
