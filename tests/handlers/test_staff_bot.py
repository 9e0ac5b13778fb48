"""A Zalo bot in dialogue: who is paired gives commands, who is not is no customer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import literal, select
from sqlmodel import Session

from crm.staff import Role
from simulator.people import ZALO, ZALO_BOT
from storage import customers
from storage.served import is_served
from tests.chat import BOT_TOKEN, Chat, chatting
from tests.conftest import Clock
from tests.staff import hired, pair


@pytest.fixture
async def bot(chat_url: str, clock: Clock) -> AsyncIterator[Chat]:
    """Minh's chat with the shop's bot for staff."""
    async with chatting(chat_url, clock, zalo_bot_token=BOT_TOKEN) as running:
        yield running.of("minh", ZALO_BOT)


async def served(chat: Chat) -> bool:
    """Whether this person counts as a customer."""
    address = chat.contact.user_id

    def count(session: Session) -> int:
        (person,) = customers.people(session, [address]).values()
        return len(session.connection().execute(select(literal(1)).where(is_served(literal(person.customer_id)))).all())

    return await chat.does(count) == 1


async def test_who_is_not_paired_counts_nowhere_and_learns_of_no_command(bot: Chat) -> None:
    (told,) = await bot.says("/help")
    assert told.startswith("Bot này dành cho nhân viên.") and "/" not in told
    assert await bot.says("NV-ABCDE-FGHJK") == []
    assert not await served(bot)
    customer = bot.of("lan", ZALO)
    await customer.says("chào")
    assert await served(customer)


async def test_who_is_paired_gives_commands_and_plays_no_customer(bot: Chat) -> None:
    await bot.says("chào")
    code = await bot.does(lambda session: hired(session, "Minh", Role.AGENT, bot))
    assert (await bot.says(code))[0].startswith("✓ Chào Minh!")
    assert await bot.says("/ds") == ["Không có ai."]
    (refused,) = await bot.says("/khach on")
    assert "Chat này chỉ có nhân viên" in refused
    (whom,) = await bot.says("chào bạn, mình giao hàng chiều nay nhé")
    assert "Gửi cho ai?" in whom
    assert not await served(bot)


async def test_the_same_person_is_a_customer_elsewhere_and_staff_here(bot: Chat) -> None:
    customer = bot.of("minh", ZALO)
    await pair(bot)
    await customer.says("/ds")
    assert await served(customer) and "Không có ai." not in customer.heard
