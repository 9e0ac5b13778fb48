"""`khachquen segment`: who is meant by a line of text, how many, why somebody is among them; and saved segments."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from bot import audience
from bot.commands.privacy import named
from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from crm import saved_segments, segments
from crm.saved_segments import SegmentRow
from crm.segment_clauses import printed
from crm.segment_words import WORDS, Word
from crm.segments import AsOf
from storage import search
from storage.database import Database

BY = "cli"


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Answer about segments, or save one. Raises CrmError."""
    at = audience.as_of(now, settings.timezone, settings.locale)
    if arguments.action == "save":
        kept = await database.write(partial(_save, arguments=arguments, at=at), name="segment.save")
        return await database.read(partial(_saved, kept=kept, at=at))
    read = {"count": _count, "why": _why, "list": _list, "history": _history, "words": _words}[arguments.action]
    return await database.read(partial(read, arguments=arguments, at=at))


def _count(session: Session, arguments: Namespace, at: AsOf) -> Report:
    segment = segments.named(session, arguments.text)
    count = segments.count(session, segment, at)
    ids = segments.sample(session, segment, at, max(0, arguments.sample)) if arguments.sample else []
    some = search.details(session, ids)
    data = {
        "segment": segment.text, "count": count,
        "sample": [{"id": str(each.id), "name": each.name, "external_id": each.external_id} for each in some],
    }  # fmt: skip
    rows = [(each.name or "(no name)", each.external_id or "", each.channel) for each in some]
    return Report(data, [printed(segment.tree, "en"), counted(count), *(table(rows, "") if rows else ())])


def _why(session: Session, arguments: Namespace, at: AsOf) -> Report:
    segment = segments.named(session, arguments.text)
    customer = named(session, arguments.customer)
    found = segments.explain(session, segment, customer, at, "en")
    data = {
        "segment": segment.text, "member": found.is_member, "served": found.is_served,
        "reasons": [{"clause": each.clause, "holds": each.holds, "value": each.value} for each in found.reasons],
    }  # fmt: skip
    head = "in" if found.is_member else "out" if found.is_served else "out: no customer (staff, or joined to another)"
    rows = [("✓" if each.holds else "✗", each.clause, each.value) for each in found.reasons]
    return Report(data, [head, *table(rows, "")])


def _save(session: Session, arguments: Namespace, at: AsOf) -> SegmentRow:
    return saved_segments.save(session, arguments.name, arguments.text, at, BY)


def _saved(session: Session, kept: SegmentRow, at: AsOf) -> Report:
    count = segments.count(session, segments.parse(kept.text), at)
    return Report(
        {**_plain(kept, at), "count": count},
        [f"{kept.name}@{kept.version}: {counted(count)}", segments.told(kept.text, "en")],
    )


def counted(people: int) -> str:
    """So many customers, as one says it."""
    return f"{people} customer{'' if people == 1 else 's'}"


def _list(session: Session, arguments: Namespace, at: AsOf) -> Report:
    return _table(saved_segments.everyone(session), at)


def _history(session: Session, arguments: Namespace, at: AsOf) -> Report:
    return _table(saved_segments.versions(session, arguments.name), at)


def _words(session: Session, arguments: Namespace, at: AsOf) -> Report:
    data = [
        {"word": word.name, "also": list(word.also), "takes": word.takes.value, "alone": word.alone,
         "within": word.within, "vi": word.vi, "en": word.en}
        for word in WORDS
    ]  # fmt: skip
    return Report(data, table([_names(word) for word in WORDS], ""))


def _names(word: Word) -> tuple[str, str, str]:
    """How a word is written, in English first."""
    name, others = word.called("en"), (word.name, *word.also)
    return name, ", ".join(dict.fromkeys(each for each in others if each != name)), word.en


def _table(rows: list[SegmentRow], at: AsOf) -> Report:
    lines = [
        (f"{row.name}@{row.version}", shown(row.created_at, at.zone), segments.told(row.text, "en")) for row in rows
    ]
    return Report([_plain(row, at) for row in rows], table(lines, "No segment is saved."))


def _plain(row: SegmentRow, at: AsOf) -> dict[str, Any]:
    return {
        "name": row.name, "version": row.version, "segment": row.text, "by": row.created_by,
        "at": stamp(row.created_at, at.zone),
    }  # fmt: skip
