"""`khachquen thread`: who may answer a person on Messenger, and how to take that back or pass it on."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot import signs
from bot.channels.abilities import Sign
from bot.channels.base import Account
from bot.channels.messenger import threads
from bot.channels.messenger.channel import Messenger
from bot.channels.messenger.threads import Holder
from bot.commands.report import Outside, Refused, Report, shown, stamp
from bot.renewal import Held
from bot.settings import Settings
from crm import conversations
from crm.messages import Purpose
from storage import conversations as conversation_rows
from storage import customers, holds, outbox
from storage.customers import Person
from storage.database import Database

_WHO = {
    threads.OURS: "this app may answer",
    threads.PAGE_INBOX: "handled elsewhere: the Page's inbox holds it",
    threads.OTHER_APP: "handled elsewhere: another app holds it",
    threads.NOBODY: "nobody holds it: it was quiet for a day, and belongs to the Page's default app",
}


async def run(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Ask who holds a conversation, take it back, or pass it to the Page's inbox. Raises Refused, SendError."""
    messenger = outside.channels["messenger"]
    assert isinstance(messenger, Messenger)
    person = await database.read(lambda session: customers.person(session, arguments.conversation))
    if person is None or person.channel != messenger.name:
        raise Refused(
            f"{arguments.conversation} is no conversation on Messenger: khachquen waiting lists their numbers"
        )
    account = await _account(outside, person)
    now = outside.clock()
    match arguments.action:
        case "take":
            await messenger.take_thread(account, person.user_id)
            await database.write(lambda session: _came_back(session, person, now), name="thread.take")
        case "pass":
            await messenger.pass_thread(account, person.user_id)
            await database.write(lambda session: _went(session, person, now), name="thread.pass")
    return _told(person, await messenger.thread_holder(account, person.user_id), settings.timezone)


async def _account(outside: Outside, person: Person) -> Account:
    try:
        return await outside.accounts.get(person.channel, person.account_id)
    except Held:
        raise Refused(f"the Page {person.account_id} is not connected or held: khachquen doctor says why") from None


def _came_back(session: Session, person: Person, now: datetime) -> None:
    """It is ours again: what waited for that goes out, and the person sees that somebody looks."""
    customers.lock_owners(session.connection(), [person.identity_id])
    for row in conversation_rows.some(session, [person.identity_id]):
        state = conversations.come_back(conversations.state_of(row), now)
        conversation_rows.set_conversations(session, [conversations.row_of(row.id, state)])
    holds.hurry_person(session, person.identity_id, now)
    signs.ask(session, person, Sign.SEEN, now)


def _went(session: Session, person: Person, now: datetime) -> None:
    """It is answered elsewhere: what the bot had not said yet is taken back."""
    customers.lock_owners(session.connection(), [person.identity_id])
    outbox.withdraw(session.connection(), {person.identity_id}, Purpose.REPLY)
    for row in conversation_rows.some(session, [person.identity_id]):
        state = conversations.go_elsewhere(conversations.state_of(row), now)
        conversation_rows.set_conversations(session, [conversations.row_of(row.id, state)])


def _told(person: Person, holder: Holder, zone: ZoneInfo) -> Report:
    name = person.customer_name or person.identity_name or "khách"
    until = f", until {shown(holder.until, zone)}" if holder.until else ""
    app = f" (app {holder.app_id})" if holder.who == threads.OTHER_APP else ""
    data = {
        "conversation": person.identity_id,
        "holder": holder.who,
        "app_id": holder.app_id,
        "until": stamp(holder.until, zone),
    }
    return Report(data, [f"{name}: {_WHO[holder.who]}{app}{until}"])
