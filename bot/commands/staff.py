"""`khachquen staff` and `khachquen cmd`: who gives commands, and a command given here."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.commands.report import Refused, Report, shown, stamp, table
from bot.settings import Settings
from bot.staff import hearing
from bot.staff.context import Office
from crm import audit, staff
from crm.staff import PAIRING_LIFE, Role
from storage import staff as rows
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Add, pair, list, change or end members of staff. Raises CrmError."""
    match arguments.action:
        case "add":
            return await database.write(partial(_added, arguments=arguments, now=now))
        case "pair":
            return await database.write(partial(_paired, name=arguments.name, now=now))
        case "role":
            return await database.write(partial(_changed, name=arguments.name, role=Role(arguments.role), now=now))
        case "revoke":
            return await database.write(partial(_revoked, name=arguments.name, now=now))
        case "pin":
            pin, secret = _asked("PIN: "), settings.require_secret()
            return await database.write(partial(_pinned, name=arguments.name, pin=pin, secret=secret, now=now))
    return await database.read(partial(_listed, settings=settings, now=now))


async def obey(arguments: Namespace, database: Database, office: Office, now: datetime) -> Report:
    """Give one command as a member of staff. Raises CrmError where there is no such person."""
    line = sys.stdin.readline() if arguments.line == "-" else arguments.line
    give = partial(_ordered, office=office, name=arguments.member, line=line.rstrip("\n"), now=now)
    return await database.write(give, name="staff.command")


def _ordered(session: Session, office: Office, name: str, line: str, now: datetime) -> Report:
    ctx = hearing.order(session, office, name, line, now)
    said = [message.text for message in ctx.said]
    return Report({"said": said, "ok": ctx.ok}, said, ok=ctx.ok)


def _asked(prompt: str) -> str:
    """A secret from the terminal without showing it, or the first line of standard input."""
    secret = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
    if not secret.strip():
        raise Refused("no PIN was given; type it, or send it on standard input")
    return secret.strip()


def _added(session: Session, arguments: Namespace, now: datetime) -> Report:
    member = staff.add(session, arguments.name, Role(arguments.role), now)
    audit.note(session, "staff.add", now, subject="staff", subject_id=member.id, details=member.role)
    line = f"{member.name} ({member.role}) is staff now. Next: khachquen staff pair {member.name!r}"
    return Report({"name": member.name, "role": member.role}, [line])


def _paired(session: Session, name: str, now: datetime) -> Report:
    member = staff.named(session, name)
    code = staff.issue_pairing(session, member.id, now)
    audit.note(session, "staff.pair", now, subject="staff", subject_id=member.id)
    minutes = int(PAIRING_LIFE.total_seconds() // 60)
    line = f"{member.name} sends this to the OA or Page, once, within {minutes} minutes. It is not shown again."
    return Report({"name": member.name, "code": code, "expires_in_minutes": minutes}, [code, line])


def _changed(session: Session, name: str, role: Role, now: datetime) -> Report:
    member = staff.named(session, name)
    staff.change_role(session, member.id, role)
    audit.note(session, "staff.role", now, subject="staff", subject_id=member.id, details=f"{member.role} > {role}")
    return Report({"name": member.name, "role": role}, [f"{member.name} is {role} now, was {member.role}."])


def _revoked(session: Session, name: str, now: datetime) -> Report:
    member = staff.named(session, name)
    chats = staff.revoke(session, member.id, now)
    audit.note(session, "staff.revoke", now, subject="staff", subject_id=member.id)
    line = f"{member.name} may give no command any more; {chats} chat(s) are a customer's again."
    return Report({"name": member.name, "revoked": True, "chats": chats}, [line])


def _pinned(session: Session, name: str, pin: str, secret: str, now: datetime) -> Report:
    member = staff.named(session, name)
    staff.set_pin(session, member.id, pin, secret)
    audit.note(session, "staff.pin", now, subject="staff", subject_id=member.id)
    return Report({"name": member.name, "pin": "set"}, [f"{member.name} has a new PIN; a lock is over."])


def _listed(session: Session, settings: Settings, now: datetime) -> Report:
    zone, chats = settings.timezone, staff.chats(session)
    everyone = rows.everyone(session)
    data = [
        {
            "id": str(each.id), "name": each.name, "role": each.role,
            "pin": "locked" if each.pin_locked_at else bool(each.pin),
            "shift_until": stamp(each.shift_until, zone) if staff.is_on_shift(each, now) else None,
            "chats": [{"channel": chat.channel, "name": chat.name} for chat in chats if chat.staff_id == each.id],
            "revoked_at": stamp(each.revoked_at, zone),
        }
        for each in everyone
    ]  # fmt: skip
    lines = [
        (
            each.name,
            each.role,
            ", ".join(chat.channel for chat in chats if chat.staff_id == each.id) or "no chat yet",
            "PIN locked" if each.pin_locked_at else "has a PIN" if each.pin else "no PIN",
            f"on shift until {shown(each.shift_until, zone)}"
            if each.shift_until and staff.is_on_shift(each, now)
            else f"revoked {shown(each.revoked_at, zone)}"
            if each.revoked_at
            else "off shift",
            str(each.id),
        )
        for each in everyone
    ]
    return Report(data, table(lines, "Nobody yet: khachquen staff add NAME --role admin"))
