"""`khachquen privacy`: customers' requests about their own data, what we hold of one person, and their erasure."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.commands.report import Refused, Report, shown, stamp, table
from bot.settings import Settings
from crm import customers, erasure, personal_data, phones, privacy
from crm.errors import Conflict
from crm.privacy import Kind, Request
from storage import customers as people
from storage.database import Database

_MOST = 1000
BY = "cli"


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """List, show, answer, finish or refuse a request, or write down what is held. Raises CrmError, Refused."""
    action, zone = arguments.action, settings.timezone
    if action == "list":
        found = await database.read(partial(privacy.page, after=0, most=_MOST, everything=arguments.all))
        return _listed(found, zone)
    if action == "export":
        held = await database.read(partial(_held, raw=arguments.customer, now=now))
        return _saved(held, arguments.file)
    if action == "show":
        request = await database.read(partial(privacy.find, number=arguments.number))
        if arguments.save is None:
            return _shown(request, zone)
        held = await database.read(partial(personal_data.everything, customer_id=request.customer_id, now=now))
        return _saved(held, arguments.save)
    if action == "done" and not arguments.yes:
        request = await database.read(partial(privacy.find, number=arguments.number))
        if request.kind == Kind.ERASE:
            raise Refused("this erases the customer for good: say so with --yes")
    change = partial(_CHANGES[action], arguments=arguments, secret_key=settings.require_secret(), now=now)
    return await database.write(partial(_changed, change=change), name=f"privacy.{action}")


def named(session: Session, raw: str) -> int:
    """The customer of this id of the POS, phone number, id of a chat, or number of ours as in `#123`.

    Who is in a chat only is found by its id, or the number that they shared there. Raises NotFound, Conflict.
    """
    if raw.startswith("#") and raw[1:].isascii() and raw[1:].isdecimal() and len(raw) < 20:
        return int(raw[1:])
    external = people.external(session, raw)
    if external is not None:
        return external.id
    number = phones.normalise(raw)
    in_chats = people.ids_by_phone(session, number, chat_born=True) if number else []
    if number and (not in_chats or people.ids_by_phone(session, number, chat_born=False)):
        return customers.find(session, customers.by_number(session, raw)).id
    if len(in_chats) > 1:
        raise Conflict("Nhiều khách có số này.", "Several customers have this number.", field="phone")
    found = in_chats[0] if in_chats else customers.in_chat(session, raw)
    return customers.find(session, raw).id if found is None else found


def _held(session: Session, raw: str, now: datetime) -> dict[str, Any]:
    return personal_data.everything(session, named(session, raw), now)


def _saved(held: dict[str, Any], file: Path) -> Report:
    file.write_text(json.dumps(held, ensure_ascii=False, indent=1), encoding="utf-8")
    file.chmod(0o600)
    rows = sum(len(each) for each in held["held"].values())
    return Report({"file": str(file), "rows": rows}, [f"{rows} rows written to {file}; only you may read it."])


def _changed(session: Session, change: Callable[[Session], Report]) -> Report:
    return change(session)


def _answer(session: Session, arguments: Namespace, secret_key: str, now: datetime) -> Report:
    changed = privacy.answered(session, arguments.number, now)
    words = f"Request {arguments.number} is answered{'' if changed else ' already, or over'}."
    return Report({"request": arguments.number, "changed": changed}, [words])


def _done(session: Session, arguments: Namespace, secret_key: str, now: datetime) -> Report:
    number = arguments.number
    if privacy.find(session, number).kind != Kind.ERASE:
        privacy.done(session, number, now, BY, arguments.note or "")
        return Report({"request": number, "changed": True}, [f"Request {number} is done."])
    certificate = erasure.carry_out(session, number, secret_key=secret_key, now=now, by=BY)
    touched = json.loads(certificate.touched)
    words = f"The customer is erased: {sum(touched.values())} rows emptied or removed; certificate {certificate.id}."
    return Report({"request": number, "changed": True, "certificate": certificate.id, "touched": touched}, [words])


def _refuse(session: Session, arguments: Namespace, secret_key: str, now: datetime) -> Report:
    privacy.refuse(session, arguments.number, now, BY, arguments.why)
    return Report({"request": arguments.number, "changed": True}, [f"Request {arguments.number} is refused."])


_CHANGES = {"answer": _answer, "done": _done, "refuse": _refuse}


def plain(request: Request, zone: ZoneInfo) -> dict[str, object]:
    """A request as programs read it."""
    return {
        "number": request.id, "kind": request.kind, "state": request.state, "customer": request.customer_id,
        "since": stamp(request.requested_at, zone), "answer_by": stamp(request.answer_by, zone),
        "due": stamp(request.due_at, zone), "answered": stamp(request.answered_at, zone),
        "ended": stamp(request.ended_at, zone), "ended_by": request.ended_by, "outcome": request.outcome,
        "wording": request.wording,
    }  # fmt: skip


def _listed(found: list[Request], zone: ZoneInfo) -> Report:
    rows = [
        (
            str(each.id), each.kind, each.state, f"#{each.customer_id}", shown(each.requested_at, zone),
            _next(each, zone),
        )
        for each in found
    ]  # fmt: skip
    return Report([plain(each, zone) for each in found], table(rows, "No request about personal data is open."))


def _next(request: Request, zone: ZoneInfo) -> str:
    if request.state != privacy.OPEN:
        return ""
    by = f"answer by {shown(request.answer_by, zone)}, " if request.answer_by and not request.answered_at else ""
    return f"{by}done by {shown(request.due_at, zone)}"


def _shown(request: Request, zone: ZoneInfo) -> Report:
    lines = [
        f"{request.id}  {request.kind}  {request.state}  #{request.customer_id}  {shown(request.requested_at, zone)}",
        *filter(None, (_next(request, zone), request.wording, request.outcome)),
    ]
    return Report(plain(request, zone), lines)
