"""`khachquen consent`: the proof of what customers agreed to and took back, and words given outside a chat."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.commands.privacy import BY, named
from bot.commands.report import Report, shown, stamp, table
from bot.settings import Settings
from crm import consent
from crm.consent import Consent, Terms
from storage import consent as store
from storage import customers, segments
from storage.database import Database

_AT_ONCE = 1000


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Show one customer's words, write everybody's to a file, or record one. Raises CrmError."""
    zone = settings.timezone
    if arguments.action == "show":
        return await database.read(partial(_shown, raw=arguments.customer, zone=zone))
    if arguments.action == "export":
        return await _exported(arguments, database, zone)
    record = partial(_record, arguments=arguments, secret_key=settings.require_secret(), now=now)
    return await database.write(record, name="consent.record")


def _record(session: Session, arguments: Namespace, secret_key: str, now: datetime) -> Report:
    granted = arguments.word == "yes"
    consent.record(
        session, named(session, arguments.customer), granted=granted, at=arguments.at or now, now=now,
        secret_key=secret_key, actor=BY, purpose=arguments.purpose, covers=arguments.channel or "",
        wording=arguments.wording,
    )  # fmt: skip
    return Report({"recorded": True}, [f"The {arguments.word} to {arguments.purpose} is on record."])


async def _exported(arguments: Namespace, database: Database, zone: ZoneInfo) -> Report:
    """One JSON object a line, some entries at a time, so that memory stays small."""
    after = count = 0
    with arguments.file.open("w", encoding="utf-8") as lines:
        arguments.file.chmod(0o600)
        while some := await database.read(partial(_page, after=after)):
            for customer, entry, terms in some:
                lines.write(json.dumps({"customer": customer, **plain(entry, terms, zone)}, ensure_ascii=False) + "\n")
            after, count = some[-1][1].id, count + len(some)
    return Report({"file": str(arguments.file), "entries": count}, [f"{count} entries written to {arguments.file}."])


def _page(session: Session, after: int) -> list[tuple[int, Consent, Terms | None]]:
    rows = store.page(session, after, _AT_ONCE)
    known = store.terms(session, {entry.terms for _, entry in rows if entry.terms})
    return [(customer, entry, known.get(entry.terms or "")) for customer, entry in rows]


def plain(entry: Consent, terms: Terms | None, zone: ZoneInfo) -> dict[str, Any]:
    """A word with its proof, as programs read it."""
    told = terms._asdict() | {"since": stamp(terms.since, zone)} if terms else None
    return {**entry._asdict(), "at": stamp(entry.at, zone), "terms": told}


def _shown(session: Session, raw: str, zone: ZoneInfo) -> Report:
    customer_id = named(session, raw)
    said = consent.proof(session, customer_id)
    rows = [
        (
            shown(entry.at, zone), "yes" if entry.granted else "no", entry.purpose, entry.covers or "all channels",
            f"{entry.way} on {entry.channel}" if entry.channel else entry.way, entry.wording,
            f"after: {terms.text}" if terms else "",
        )
        for entry, terms in said
    ]  # fmt: skip
    lines = table(rows, "This customer never said a word about it.")
    return Report([plain(*each, zone) for each in said], [*lines, *_where(session, customer_id)])


def _where(session: Session, customer_id: int) -> list[str]:
    """Where else their words may be looked for: a chat and a customer of the POS that were not joined are two."""
    chats = sorted({channel for channel, _, _ in segments.channels(session, customer_id)})
    profile = customers.profile(session, customer_id)
    if not chats:
        return ["No chat is joined to this customer: what is said in another is shown by the chat's own id."]
    if profile is not None and profile.external_id is None:
        return [f"This is a chat on {' and '.join(chats)} that is joined to no customer of the POS."]
    return []
