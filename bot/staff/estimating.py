"""Looks at a broadcast as sending would, beside the chat that asks: so many people take longer than an answer may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot import broadcast_notices, previews
from bot.jobs import Payload, Work
from bot.previews import Estimate
from bot.staff import hearing
from bot.staff.context import Office, StaffContext
from crm import broadcasts
from crm.broadcasts import NeedsSecond
from crm.errors import CrmError, Invalid
from crm.staff import Permission
from storage.broadcasts import BroadcastView
from storage.database import Database

JOB = "staff.estimate"
NOW = "ngay"
"""What an order calls this moment."""


class Estimating:
    """The job that looks, and tells in the chat in which it was asked for."""

    def __init__(self, database: Database, office: Office, clock: Callable[[], datetime]) -> None:
        self._database, self._office, self._clock = database, office, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.make}

    async def make(self, payload: Payload) -> None:
        """Look, and tell what was found or why nothing can be."""
        at = datetime.fromisoformat(payload["at"]) if payload["at"] else None
        what = self._office.sender, payload["broadcast"], self._clock(), at
        try:
            found: Estimate | CrmError = await previews.estimate(self._database, *what)
        except CrmError as error:
            found = error
        tell = partial(_tell, office=self._office, payload=payload, found=found, now=self._clock())
        await self._database.write(tell, name=JOB)


def ask(
    ctx: StaffContext,
    broadcast: BroadcastView,
    *,
    at: datetime | None = None,
    order: str = "",
    about: str = "",
    begins: bool = False,
    approves: bool = False,
) -> None:
    """Have it looked at as if it began then. With an `order` to the running command, that is what `/ok` is to do to it,
    if the facts `about` are the same then. Where it `begins` by that and a second person must agree first, those are
    told instead; where that `approves` it, the order names what was seen, behind its first word."""
    if ctx.chat is None:
        raise Invalid("", f"Trên máy chủ dùng khachquen broadcast preview {broadcast.id}, schedule và approve.",
                      f"Here use khachquen broadcast preview {broadcast.id}, schedule and approve.")  # fmt: skip
    assert ctx.command is not None
    payload = {
        "staff": ctx.member.id, "chat": ctx.chat.identity_id, "broadcast": broadcast.id,
        "at": at.isoformat() if at else "", "command": ctx.command.name, "order": order, "about": about,
        "begins": begins, "approves": approves,
    }  # fmt: skip
    ctx.later(JOB, f"{ctx.surface}:{broadcast.id}:{order}", payload)
    ctx.reply("broadcast_looking", name=broadcast.name)


def _tell(session: Session, office: Office, payload: Payload, found: Estimate | CrmError, now: datetime) -> None:
    """Tell it, if the chat is still that of somebody who may see it."""
    ctx = hearing.told_later(session, office, payload, now, Permission.REPORT)
    if ctx is None:
        return
    if isinstance(found, CrmError):
        ctx.reply("refused", words=found.words(ctx.locale), usage="")
    elif found.by_two and payload.get("begins"):
        _call_second(ctx, payload, found.preview.people)
    else:
        _say(ctx, payload, found, now)
    hearing.tell(ctx)


def _call_second(ctx: StaffContext, payload: Payload, people: int) -> None:
    """They look at it as of the moment for which it is to be scheduled."""
    each, moment = broadcasts.get(ctx.session, payload["broadcast"]), _moment(payload["order"])
    told = broadcast_notices.call_second(ctx.session, each, people, ctx.now, moment)
    ctx.reply("broadcast_by_two", each=each, words=NeedsSecond(people).words(ctx.locale), told=told)


def _moment(order: str) -> str:
    """The moment that an order names, "" for now."""
    moment = order.partition(" ")[2]
    return "" if moment == NOW else moment


def _say(ctx: StaffContext, payload: Payload, found: Estimate, now: datetime) -> None:
    each, order = broadcasts.get(ctx.session, payload["broadcast"]), payload["order"]
    shown = previews.words(ctx.office.templates, found, ctx.office.sender, now, ctx.locale)
    values = {"each": each, "shown": shown, "order": order}
    if not order:
        ctx.reply("broadcast_looked", **values)
        return
    ctx.command = ctx.office.commands.by_name[payload["command"]]
    if payload.get("approves"):
        word, _, moment = order.partition(" ")
        order = f"{word} {found.version} {moment}".rstrip()
    ctx.given = {"which": str(each.id), "order": order}
    ctx.confirmed("broadcast_looked", about=payload["about"], **values)
