"""Staff in a chat: their lines become commands, the answers become messages to them, and nothing of it a customer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import Session

from bot.staff import dispatch
from bot.staff.context import CLI, Office, StaffContext
from bot.staff.grammar import order_in
from crm import notices, outbox, staff
from crm.events import ButtonPressed, Event, Inbound, MediaKind, MediaReceived, TextReceived
from crm.messages import BORROWED, KEPT, Message, Purpose
from crm.reach import Refusal
from crm.staff import Permission
from storage import customers, desks, transcripts
from storage import outbox as queue
from storage.customers import Person
from storage.work import wake

TOO_OLD = timedelta(minutes=10)
"""A line that reaches us so long after it was written is not obeyed any more: things have moved on."""
QUOTES_REACH = timedelta(days=8)
"""How old a notice may be that a quote answers: no platform lets staff write for longer."""
AS_CUSTOMER = "khach"
"""The one command that is heard while a member of staff plays a customer."""


class Heard(NamedTuple):
    """One event of a member of staff, and the row of the inbox that it came by."""

    row_id: int
    event: Event


def plays_customer(session: Session, person: Person, now: datetime) -> bool:
    """Whether this member of staff is treated as a customer in this chat now."""
    assert person.staff_id is not None
    until = desks.find(session, person.staff_id, str(person.identity_id)).as_customer_until
    return until is not None and now < until


def is_for_staff(event: Event, office: Office) -> bool:
    """Whether this line ends the playing."""
    order = order_in(event.text, office.commands.by_name) if isinstance(event, TextReceived) else None
    command = office.commands.by_name.get(order.name) if order else None
    return command is not None and command.name == AS_CUSTOMER


def hear(session: Session, office: Office, person: Person, heard: Sequence[Heard], now: datetime) -> list[int]:
    """Obey what a member of staff wrote, in order; the inbox rows whose words must not be kept.

    What customers' events of this batch changed must be written before.
    """
    secret: list[int] = []
    for row_id, event in heard:
        if not isinstance(event, Inbound) or event.elsewhere:
            continue
        ctx = _context(session, office, person, event, now)
        if ctx is None:
            return secret
        _obey(ctx, event)
        tell(ctx)
        notices.tell_held(session, person, now)
        if ctx.is_secret:
            secret.append(row_id)
    return secret


def order(session: Session, office: Office, name: str, line: str, now: datetime) -> StaffContext:
    """Obey one line on the command line, as this member of staff. Raises CrmError where there is no such person."""
    member = staff.named(session, name)
    ctx = StaffContext(member, None, session, now, office, desks.find(session, member.id, CLI))
    dispatch.hear(ctx, line)
    return ctx


def told_later(
    session: Session, office: Office, payload: Mapping[str, Any], now: datetime, may: Permission
) -> StaffContext | None:
    """For what a job tells the member of `staff` who asked in this `chat`; None where the chat is not that of somebody
    who may see it any more."""
    person, member = customers.person(session, payload["chat"]), staff.find(session, payload["staff"])
    if person is None or person.staff_id != member.id or not staff.may(member, may):
        return None
    return StaffContext(member, person, session, now, office, desks.find(session, member.id, str(person.identity_id)))


def _context(session: Session, office: Office, person: Person, event: Inbound, now: datetime) -> StaffContext | None:
    """None for somebody who was revoked at this very moment."""
    assert person.staff_id is not None
    member = staff.find(session, person.staff_id)
    if member.revoked_at is not None:
        return None
    desk = desks.find(session, member.id, str(person.identity_id))
    quoted = notices.quoted(session, person, event.reply_to, now - QUOTES_REACH) if event.reply_to else None
    answers_else = bool(event.reply_to) and (quoted is None or quoted.conversation_id is None)
    return StaffContext(member, person, session, now, office, desk, quoted, _pictures(event), answers_else)


def _obey(ctx: StaffContext, event: Inbound) -> None:
    text = _words(event)
    if ctx.now - event.at > TOO_OLD:
        ctx.reply("late", at=event.at)
    elif text or ctx.pictures:
        dispatch.hear(ctx, text)
    else:
        ctx.reply("only_words")


def _words(event: Inbound) -> str:
    if isinstance(event, TextReceived):
        return event.text
    if isinstance(event, ButtonPressed):
        return event.payload
    return event.text if isinstance(event, MediaReceived) and (_pictures(event) or not event.media) else ""


def _pictures(event: Inbound) -> tuple[str, ...]:
    """The pictures of a line that brought nothing else, by where they can be had."""
    media = event.media if isinstance(event, MediaReceived) else ()
    if not all(each.kind is MediaKind.IMAGE and each.url for each in media):
        return ()
    return tuple(f"{KEPT}{BORROWED}{event.address.channel}:{each.url}" for each in media)


def tell(ctx: StaffContext) -> None:
    """Queue what was answered to the one who wrote in a chat."""
    assert ctx.chat is not None
    parts: list[Message] = [part for each in ctx.said for part in ctx.office.channels[ctx.chat.channel].split(each)]
    rows = outbox.compose(ctx.chat, parts, Purpose.REPLY, ctx.now)
    assert not isinstance(rows, Refusal), rows
    queue.add_many(ctx.session.connection(), rows)
    transcripts.add_messages(ctx.session, outbox.lines(rows, parts))
    if rows:
        wake(ctx.session, queue.TOPIC)
