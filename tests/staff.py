"""Staff in a shop that runs: added, paired in a chat, and heard there or on the command line."""

from __future__ import annotations

from functools import partial

from sqlmodel import Session

import main
from bot.staff import hearing
from bot.staff.context import Office, StaffContext
from crm import staff
from crm.staff import Role
from tests.chat import Chat

PIN = "271828"
SECRET = "a secret key for tests only"


def hired(session: Session, name: str, role: Role, chat: Chat, pin: str = PIN) -> str:
    """Somebody new; the code that pairs a chat."""
    member = staff.add(session, name, role, chat.clock())
    if pin:
        staff.set_pin(session, member.id, pin, SECRET)
    return staff.issue_pairing(session, member.id, chat.clock())


async def pair(chat: Chat, name: str = "Minh", role: Role = Role.AGENT, pin: str = PIN) -> Chat:
    """Let this chat be a new member of staff's."""
    code = await chat.does(lambda session: hired(session, name, role, chat, pin))
    (welcome,) = await chat.says(code)
    assert welcome.startswith(f"✓ Chào {name}!"), welcome
    return chat


def office(chat: Chat) -> Office:
    """What staff's commands work with, as the shop's own."""
    return main.office_of(chat.settings, dict(chat.service.channels))


async def order(chat: Chat, name: str, line: str) -> list[str]:
    """Give a command on the command line; what it answers."""
    give = partial(hearing.order, office=office(chat), name=name, line=line, now=chat.clock())

    def run(session: Session) -> list[str]:
        ctx: StaffContext = give(session)
        return [message.text for message in ctx.said]

    return await chat.does(run)
