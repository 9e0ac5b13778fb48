"""What Zalo tells by itself: somebody withdrew from the app, which ends all consent and asks for erasure."""

from __future__ import annotations

from sqlmodel import Session

from crm import consent
from crm.consent import Standing
from crm.messages import Purpose
from storage import customers
from tests.chat import Chat


def standings(session: Session, chat: Chat) -> list[Standing]:
    """How the person of this chat stands to advertising and to care."""
    (person,) = customers.people(session, [chat.contact.user_id]).values()
    asked = (Purpose.BROADCAST, Purpose.CARE)
    found = [consent.standing(session, [person.customer_id], purpose, person.channel) for purpose in asked]
    return [standing for each in found for standing in each.values()]


async def test_zalos_own_withdrawal_ends_all_consent_without_a_word(chat: Chat) -> None:
    await chat.says("bắt đầu nhận tin")
    assert await chat.does(lambda session: standings(session, chat)) == [Standing.GRANTED] * 2
    chat.clock.pass_by(minutes=1)
    assert await chat.withdraws() == []
    assert await chat.does(lambda session: standings(session, chat)) == [Standing.WITHDRAWN] * 2
