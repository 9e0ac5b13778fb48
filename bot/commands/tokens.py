"""Tokens that a command is given: from files or standard input, never from the command line itself."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from bot.commands.report import Refused

SHORTEST = 8


def read_token(path: Path, kind: str) -> str:
    """The token in a file. Raises Refused where it holds none."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise Refused(f"{path}: not a text file") from None
    return checked(token, kind)


def read_pair(arguments: Namespace) -> tuple[str, str]:
    """The access and the refresh token that `account add` was given, "" for no refresh token. Raises Refused."""
    refresh = ""
    if arguments.from_stdin:
        lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
        access, refresh = (*lines, "", "")[:2]
        checked(access, "access")
    else:
        access = read_token(arguments.access_token_file, "access")
    if arguments.refresh_token_file:
        refresh = read_token(arguments.refresh_token_file, "refresh")
    return access, checked(refresh, "refresh") if refresh else ""


def checked(token: str, kind: str) -> str:
    """The token, where it has the form of one. Raises Refused."""
    if len(token) < SHORTEST or not token.isascii() or any(each.isspace() for each in token):
        form = f"one line of at least {SHORTEST} letters and digits, without spaces"
        raise Refused(f"this is no {kind} token: it must be {form}")
    return token
