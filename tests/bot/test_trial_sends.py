"""A broadcast is read by staff before customers get it."""

from __future__ import annotations

import pytest
from sqlmodel import Session, SQLModel, select

import main
from bot import trial_sends
from bot.service import sender_of
from bot.settings import Settings
from crm import broadcasts, staff
from crm.content import Content
from crm.errors import Conflict
from crm.messages import Message, Purpose
from crm.staff import Role
from tests.conftest import Clock
from tests.crm.people import born


async def test_a_test_goes_to_the_chats_of_who_asks_and_lets_the_broadcast_be_scheduled(
    session: Session, clock: Clock
) -> None:
    minh = staff.add(session, "Minh", Role.MARKETER, clock())
    text = 'Chào {{ khach.ten or "bạn" }}'
    number = broadcasts.draft(session, "Tin", Purpose.BROADCAST, Content(text), "tatca", f"staff:{minh.id}", clock())
    settings = Settings(secret_key="a key for tests only")
    async with main.reaching(settings) as channels:
        sender = sender_of(settings, channels)
        with pytest.raises(Conflict, match="pair"):
            trial_sends.send(session, sender, number, minh.id, clock())
        chat = born(session, clock())
        code = staff.pairing_in(staff.issue_pairing(session, minh.id, clock()))
        staff.pair(session, chat, code, clock())
        with pytest.raises(Conflict, match="tested"):
            broadcasts.schedule(session, number, clock.pass_by(hours=1), f"staff:{minh.id}", clock())
        assert trial_sends.send(session, sender, number, minh.id, clock()) == 1
    outbox = SQLModel.metadata.tables["outbox"]
    (body,) = session.connection().execute(select(outbox.c.body)).scalars()
    assert Message.loads(body).text.startswith("[QC] Chào Minh")
    broadcasts.schedule(session, number, clock.pass_by(hours=1), f"staff:{minh.id}", clock())
    assert broadcasts.get(session, number).state == "scheduled"
