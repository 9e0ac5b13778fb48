"""Guessing at phone numbers: a hundred of them tell nobody which belong to customers of the shop, and open nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Session

from crm import customers, phones
from crm.orders import Status
from storage.customers import Customer, Identity
from tests.chat import CHANNELS, Chat
from tests.crm.replay import rows
from tests.handlers import pos

Guess = Callable[[Chat, str], Coroutine[Any, Any, list[str]]]

WORDS = ("{}", "sđt mình là {}", "xem điểm {}", "kiểm tra đơn {}", "liên kết số {}")


def in_words(words: str, *, asked: bool) -> Guess:
    """Typed in a line, perhaps after the bot asked for a code."""

    async def guess(chat: Chat, number: str) -> list[str]:
        if asked:
            await chat.presses("kq:link")
        return await chat.says(words.format(number))

    return guess


async def in_form(chat: Chat, number: str) -> list[str]:
    """Typed into Messenger's address form."""
    return await chat.of(chat.person, "messenger").fills_address_form(number)


GUESSES = [in_form, *(in_words(words, asked=asked) for words, asked in product(WORDS, (True, False)))]


async def test_a_hundred_guessed_phones_tell_and_open_nothing(chat: Chat) -> None:
    numbers = [f"09012345{number:02}" for number in range(100)]
    known = numbers[::2]
    await chat.does(lambda session: _open(session, chat, known))
    await pos.tells_of_order(chat, "DH1", owner="K00", status=Status.DELIVERED)
    heard: defaultdict[tuple[int, str], set[tuple[bool, tuple[str, ...]]]] = defaultdict(set)
    with looked_for({phones.normalise(number) for number in numbers}) as found:
        for number, phone in enumerate(numbers):
            way, channel = number // 2 % len(GUESSES), CHANNELS[number // 2 // len(GUESSES) % 2]
            thief = chat.of(f"t{number}", channel)
            answer = tuple(line.replace(phone, "…") for line in await GUESSES[way](thief, phone))
            heard[way, channel].add((phone in known, answer))
            (points,) = await thief.says("xem điểm")
            assert "chưa xem được điểm" in points
    for said in heard.values():
        assert len({answer for _, answer in said}) == 1 and {known for known, _ in said} == {True, False}, said
    assert found == [], "what is not looked for can neither be told nor take its time"
    await chat.does(_nobody_is_linked)


def _open(session: Session, chat: Chat, known: list[str]) -> None:
    for phone in known:
        customers.put_customer(session, f"K{phone[-2:]}", now=chat.clock(), name="Khách", phone=phone)


def _nobody_is_linked(session: Session) -> None:
    everybody = {row["id"]: row for row in rows(session, Customer)}
    for chat in rows(session, Identity):
        whose = everybody[chat["customer_id"]]
        assert (whose["external_id"], whose["phone"], whose["merged_into"]) == (None, None, None)


@contextmanager
def looked_for(numbers: set[str | None]) -> Iterator[list[str]]:
    """The statements that are given one of these numbers in the form in which it is kept."""
    found: list[str] = []

    def noted(conn: object, cursor: object, statement: str, values: Any, *_: object) -> None:
        given = values if isinstance(values, list) else [values]
        flat = [each for row in given for each in (row.values() if isinstance(row, dict) else row)]
        if numbers.intersection(each for each in flat if isinstance(each, str)):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", noted)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", noted)
