"""Every command of the command line with its options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import settings
from bot.commands import broadcast_arguments, care_arguments, points_arguments, privacy_arguments, segment_arguments
from crm.sla import Priority
from crm.staff import Role

CHANNELS = ("zalo", "messenger")
"""Those on which customers write."""
ACCOUNTS = (*CHANNELS, "zalobot")
"""Those that have accounts."""
ROLES = tuple(role.value for role in Role)


def parser() -> argparse.ArgumentParser:
    """Reads the command line; every command takes `--json` and `--help`."""
    root = argparse.ArgumentParser(
        prog="khachquen", description="Khách Quen: a chat CRM for Zalo OA and Messenger.", allow_abbrev=False
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _services(commands)
    _plain(commands, "migrate", "bring the database to this version's schema")
    _copies(commands)
    _demo(commands)
    doctor = _plain(commands, "doctor", "look at everything and say what must be mended, and by whom")
    doctor.add_argument("--offline", action="store_true", help="call nobody: neither PUBLIC_URL nor the platforms")
    _plain(commands, "waiting", "list the customers who wait for a person, the longest waiting first")
    find = _plain(commands, "find", "find messages of all conversations by words in them, the newest first")
    find.add_argument("words", nargs="+", help="words, or their beginnings, with or without accents")
    find.add_argument("--before", type=int, metavar="ID", help="older ones than this message")
    report = _plain(commands, "report", "show the figures of a day or a week: customers, answers, tickets, ratings")
    report.add_argument("span", choices=("day", "week"), help="today, or this week from Monday on")
    report.add_argument("--back", type=int, default=0, metavar="N", help="so many days or weeks before that (0)")
    report.add_argument("--xlsx", type=Path, metavar="FILE", help="write all of it into this workbook, too")
    _tickets(commands)
    _dead(commands)
    _keys(commands)
    _staff(commands)
    points_arguments.add(commands, _plain, _group)
    privacy_arguments.add(commands, _plain, _group)
    segment_arguments.add(commands, _plain, _group)
    broadcast_arguments.add(commands, _plain, _group)
    care_arguments.add(commands, _plain, _group)
    _accounts(commands)
    _pages(commands)
    _threads(commands)
    _catchup(commands)
    _templates(commands)
    cost = _plain(commands, "cost", "say what the messages of a month cost, and what the budget leaves")
    cost.add_argument("--month", metavar="YYYY-MM", help="which one (this one)")
    understand = _plain(commands, "understand", "read texts from standard input, one a line, and say what each means")
    understand.add_argument("--jsonl", action="store_true", help="one JSON object a line; the same as --json")
    return root


def read(given: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for; ends the program with the usage where it makes no sense."""
    arguments = parser().parse_args(given)
    if (arguments.command, getattr(arguments, "action", "")) == ("account", "add") and (wrong := _misused(arguments)):
        arguments.explain(wrong)
    return arguments


def _misused(arguments: argparse.Namespace) -> str:
    """Why these options of `account add` do not fit together; "" where they do."""
    ids, zalo, is_bot = arguments.account_ids, arguments.channel == "zalo", arguments.channel == "zalobot"
    by_hand = bool(arguments.access_token_file) or arguments.from_stdin
    if arguments.user_token_file and zalo:
        return "--user-token-file is for messenger: a Zalo OA is connected in a browser, by khachquen account add zalo"
    if is_bot:
        return _misused_for_bot(arguments, by_hand)
    if by_hand and len(ids) != 1:
        return "a token belongs to one ACCOUNT_ID: name it"
    if arguments.refresh_token_file and not by_hand:
        return "--refresh-token-file goes with --access-token-file or --from-stdin"
    if arguments.no_wait and (by_hand or not zalo):
        return "--no-wait is for khachquen account add zalo, which waits for a browser"
    if by_hand or arguments.user_token_file or (zalo and not ids):
        return ""
    return "give its token with --access-token-file or --from-stdin" + (
        "; without ACCOUNT_ID it is connected in a browser" if zalo else ", or a person's with --user-token-file"
    )


def _misused_for_bot(arguments: argparse.Namespace, by_hand: bool) -> str:
    if arguments.user_token_file or arguments.refresh_token_file or arguments.no_wait:
        return "a Zalo bot has one token and nothing else: give it with --access-token-file or --from-stdin"
    if not by_hand:
        return "give the bot's token with --access-token-file or --from-stdin; Zalo Bot Creator sent it as a message"
    return "a token belongs to one bot" if len(arguments.account_ids) > 1 else ""


def _command(commands: Any, name: str, words: str) -> argparse.ArgumentParser:
    """Options are written in full: `--access-token` must not pass for `--access-token-file`."""
    sentence = f"{words[0].upper()}{words[1:]}."
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=sentence, allow_abbrev=False)
    return command


def _plain(commands: Any, name: str, words: str) -> argparse.ArgumentParser:
    command = _command(commands, name, words)
    command.add_argument("--json", action="store_true", help="answer in JSON")
    return command


def _group(commands: Any, name: str, words: str) -> Any:
    command = _command(commands, name, words)
    return command.add_subparsers(dest="action", required=True, metavar="ACTION")


def _services(commands: Any) -> None:
    for name, words in (
        ("serve", "run everything in one process"),
        ("web", "run only the doors, beside workers (PostgreSQL)"),
        ("worker", "run only the workers, with the probes (PostgreSQL)"),
    ):
        command = _plain(commands, name, words)
        command.add_argument("--host", help="address to listen on")
        command.add_argument("--port", type=port, help="port to listen on")


def _copies(commands: Any) -> None:
    making = _plain(commands, "backup", "copy a SQLite database into one checked file, beside a running service")
    making.add_argument("target", metavar="FILE|DIR", help="the file to write, or a folder for a dated one")
    making.add_argument("--encrypt", action="store_true", help="seal it with SECRET_KEY")
    making.add_argument("--force", action="store_true", help="replace a file that is there")
    making.add_argument("--verify", action="store_true", help="write nothing: look through the backup FILE")
    restoring = _plain(commands, "restore", "put the database of a backup in place, with the service stopped")
    which = restoring.add_mutually_exclusive_group(required=True)
    which.add_argument("file", nargs="?", default="", metavar="FILE", help="a file that `khachquen backup` wrote")
    which.add_argument(
        "--by-hand",
        action="store_true",
        help="other tools put it in place (pg_restore): only note what may have gone out since",
    )
    restoring.add_argument("--force", action="store_true", help="replace a database that is there; it is kept beside")
    moving = _plain(commands, "move", "bring everything from SQLite into an empty PostgreSQL, with the service stopped")
    moving.add_argument("--to", required=True, metavar="URL", help="postgresql+psycopg://user:password@host/name")
    moving.add_argument("--report", type=Path, metavar="FILE", help="where values are listed that had to be changed")
    for command in (making, restoring):
        command.add_argument(
            "--passphrase-file", type=Path, metavar="FILE", help="a file with words to seal with, instead of SECRET_KEY"
        )


def _demo(commands: Any) -> None:
    command = _plain(commands, "demo", "start a sample shop with a chat page, on this computer only")
    command.add_argument("--port", type=port, help="port of the bot, or the next free one (8080)")
    command.add_argument("--page-port", type=port, help="port of the chat page, or the next free one (8081)")


def _tickets(commands: Any) -> None:
    actions = _group(commands, "ticket", "support requests of customers")
    listing = _plain(actions, "list", "list those that wait for us, the oldest first")
    listing.add_argument("--most", type=int, default=50, help="how many (50)")
    listing.add_argument(
        "--by", choices=("age", "due"), default="age", help="the oldest or the most urgent first (age)"
    )
    listing.add_argument("--priority", choices=list(Priority), help="only those")
    listing.add_argument("--category", metavar="KEY", help="only those: its key (1 to 8) or name")
    single = {
        name: _plain(actions, name, words)
        for name, words in (
            ("show", "show one with its photos and what is promised"),
            ("answer", "note that it was answered and waits for the customer"),
            ("close", "note that it is done, and why it was needed"),
            ("reopen", "let it wait for us again"),
            ("category", "correct what it is about"),
            ("priority", "say how urgent it is"),
        )
    }
    for command in single.values():
        command.add_argument("number", type=ticket_number, metavar="NUMBER", help="as in T12")
    single["show"].add_argument("--save", type=Path, metavar="DIR", help="write our copies of its photos there")
    single["close"].add_argument("--cause", default="", metavar="WORDS", help="why it was needed; once is enough")
    single["category"].add_argument("to", metavar="KEY", help="its key (1 to 8) or name")
    single["priority"].add_argument("to", choices=list(Priority), metavar="PRIORITY", help=", ".join(Priority))


def _dead(commands: Any) -> None:
    actions = _group(commands, "dead", "events, messages and jobs that were given up")
    listing = _plain(actions, "list", "list them, newest first")
    listing.add_argument("--most", type=int, default=50, help="how many of each kind (50)")
    replay = _plain(actions, "replay", "let them be tried again")
    replay.add_argument("ids", nargs="*", type=row_id, metavar="ID", help="as `dead list` shows them")
    replay.add_argument("--all", action="store_true", help="all of them")
    replay.add_argument("--force", action="store_true", help="care and broadcasts, too: they may go out twice")


def _keys(commands: Any) -> None:
    actions = _group(commands, "key", "keys that let other programs use the API")
    _plain(actions, "create", "make a key; it is shown this once").add_argument("name", metavar="NAME")
    _plain(actions, "list", "list the keys, without their secrets")
    _plain(actions, "revoke", "end a key at once").add_argument("prefix", metavar="PREFIX")


def _staff(commands: Any) -> None:
    actions = _group(commands, "staff", "people of the brand who give commands in the chat")
    adding = _plain(actions, "add", "let somebody be staff")
    others = (
        _plain(actions, "pair", "make a code that they type into a chat, which is theirs then"),
        _plain(actions, "role", "give somebody another role"),
        _plain(actions, "revoke", "end somebody's commands at once, in every chat"),
        _plain(actions, "pin", "set somebody's PIN, from the terminal or standard input; ends a lock"),
    )
    for command in (adding, *others):
        command.add_argument("name", metavar="NAME", help="as colleagues say it")
    adding.add_argument("--role", choices=ROLES, default="agent", help="what they may do (agent)")
    others[1].add_argument("role", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    _plain(actions, "list", "list them with their chats, PINs and shifts")
    ordering = _plain(commands, "cmd", "give a staff command here, as in a chat")
    ordering.add_argument("--as", dest="member", required=True, metavar="NAME", help="as whom")
    ordering.add_argument("line", metavar="LINE", help="the command, such as /ds; - reads it from standard input")


def _accounts(commands: Any) -> None:
    actions = _group(commands, "account", "OAs, Pages and bots with their tokens")
    adding = _plain(actions, "add", "add an account, or give a known one new tokens")
    _plain(actions, "list", "list the accounts")
    sharing = _plain(actions, "labels", "keep an OA's labels and our tags alike, or cease to")
    others = (
        sharing,
        _plain(actions, "followers", "let a running service read who follows an OA"),
        _plain(actions, "token", "show the age and the last four letters of an account's tokens"),
        _plain(actions, "remove", "forget an account's tokens and send nothing with it any more"),
    )
    for command in (adding, *others):
        command.add_argument("channel", choices=ACCOUNTS, metavar="CHANNEL", help=" or ".join(ACCOUNTS))
    for command in others:
        command.add_argument("account_id", metavar="ACCOUNT_ID", help="the id of the OA, Page or bot")
    sharing.add_argument("wish", choices=("on", "off"), metavar="on|off", help="whether to")
    checking = _plain(actions, "check", "ask the platforms how the accounts stand, and mend what can be mended")
    checking.add_argument("channel", choices=ACCOUNTS, nargs="?", metavar="CHANNEL", help="only those of this channel")
    checking.add_argument("account_id", nargs="?", metavar="ACCOUNT_ID", help="only this one")
    _adding(adding)


def _adding(adding: argparse.ArgumentParser) -> None:
    adding.set_defaults(explain=adding.error)
    adding.add_argument(
        "account_ids",
        nargs="*",
        metavar="ACCOUNT_ID",
        help="the id of the OA or Page; without any, an OA is connected in a browser; a bot's stands in its token",
    )
    source = adding.add_mutually_exclusive_group()
    source.add_argument("--access-token-file", type=Path, metavar="FILE", help="a file that holds the access token")
    source.add_argument(
        "--from-stdin", action="store_true", help="read the access token, and on a second line the refresh token"
    )
    source.add_argument(
        "--user-token-file", type=Path, metavar="FILE", help="a file that holds the token of a person who manages Pages"
    )
    adding.add_argument("--refresh-token-file", type=Path, metavar="FILE", help="a file that holds the refresh token")
    adding.add_argument("--no-wait", action="store_true", help="print the address for the browser and end at once")


def _pages(commands: Any) -> None:
    actions = _group(commands, "page", "what a Facebook Page shows")
    profile = _plain(actions, "profile", "the start button, greeting, menu and first questions of a Page")
    profile.add_argument("what", choices=("set", "show", "clear"), metavar="WHAT", help="set, show or clear")
    profile.add_argument("page_id", metavar="PAGE_ID", help="the id of the Page")

    replies = _plain(actions, "replies", "the one private answer that public comments on a Page get")
    replies.add_argument("what", choices=("set", "show", "clear"), metavar="WHAT", help="set, show or clear")
    replies.add_argument("page_id", metavar="PAGE_ID", help="the id of the Page")
    replies.add_argument("words", nargs="?", default="", metavar="WORDS", help="with set: what they are answered")


def _threads(commands: Any) -> None:
    actions = _group(commands, "thread", "who may answer a person on Messenger")
    for name, words in (
        ("owner", "ask Facebook who holds a conversation"),
        ("take", "take it back from the Page's inbox or another app"),
        ("pass", "pass it to the Page's inbox"),
    ):
        command = _plain(actions, name, words)
        command.add_argument("conversation", type=row_id, metavar="CONVERSATION", help="as `waiting` shows it")


def _catchup(commands: Any) -> None:
    command = _plain(commands, "catchup", "read from the platforms what was said, and keep what no webhook told")
    command.add_argument("channel", nargs="?", choices=CHANNELS, metavar="CHANNEL", help=" or ".join(CHANNELS))
    command.add_argument("account_id", nargs="?", metavar="ACCOUNT_ID", help="the id of the OA or Page; all without")
    command.add_argument("--since", type=span, default=timedelta(hours=3), help="how far back: 90m, 3h, 2d (3h)")


def span(raw: str) -> timedelta:
    """A time such as 90m, 3h or 2d, a week at most; raises ArgumentTypeError."""
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", raw)
    length = timedelta(minutes=int(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]]) if found else timedelta()
    if not timedelta() < length <= timedelta(days=7):
        raise argparse.ArgumentTypeError(f"{raw!r} is no time such as 90m, 3h or 2d (a week at most)")
    return length


def _templates(commands: Any) -> None:
    actions = _group(commands, "template", "message templates that the platforms approved")
    listing = _plain(actions, "list", "list those that are known, with their state, price and parameters")
    listing.add_argument("--all", action="store_true", help="those, too, that the platform lists no more")
    sync = _plain(actions, "sync", "ask the platforms for their templates now")
    preview = _plain(actions, "preview", "show what a template would say, what it costs, and what is wrong with it")
    preview.add_argument("template", metavar="TEMPLATE", help="its id, or its name")
    preview.add_argument("values", nargs="*", type=given_value, metavar="NAME=VALUE", help="a value for a parameter")
    preview.add_argument("--language", help="which one, where it has several")
    for command in (listing, sync, preview):
        command.add_argument("--channel", choices=CHANNELS, metavar="CHANNEL", help=" or ".join(CHANNELS))
        command.add_argument("--account", metavar="ACCOUNT_ID", help="the id of the OA or Page")


def given_value(raw: str) -> tuple[str, str]:
    """A parameter's name and its value, with = between; raises ArgumentTypeError."""
    name, found, value = raw.partition("=")
    if not (name and found):
        raise argparse.ArgumentTypeError(f"{raw!r} is no NAME=VALUE")
    return name, value


def port(raw: str) -> int:
    """A port number; raises ArgumentTypeError."""
    try:
        return settings.port(raw)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def ticket_number(raw: str) -> int:
    """The number of a ticket: `12`, `T12` or `#12`; raises ArgumentTypeError."""
    return row_id(raw.removeprefix("#").removeprefix("T").removeprefix("t"))


def row_id(raw: str) -> int:
    """The id of a row; raises ArgumentTypeError."""
    if not (raw.isascii() and raw.isdecimal()) or int(raw) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{raw!r} is no id")
    return int(raw)
