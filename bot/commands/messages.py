"""`khachquen find`: messages of all conversations, by words in them."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime

from bot import searching
from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from crm import said
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """The newest messages with these words. Raises Invalid where the words are too few."""
    words, zone = " ".join(arguments.words), settings.timezone
    found = await searching.found(database, words, arguments.before or said.NEWEST, within=30)
    given = said.wanted(words)
    data = [
        {
            **line._asdict(), "id": str(line.id), "conversation_id": str(line.conversation_id),
            "at": stamp(line.at, zone),
        }
        for line in found.lines
    ]  # fmt: skip
    rows = [
        (shown(line.at, zone), line.name, line.channel, line.author, said.excerpt(line.text, given))
        for line in found.lines
    ]
    lines = table(rows, f"No message says {words!r}.")
    if found.before is not None:
        lines.append(f"There are older messages: khachquen find {words} --before {found.before}")
    return Report({"messages": data, "next": None if found.before is None else str(found.before)}, lines)
