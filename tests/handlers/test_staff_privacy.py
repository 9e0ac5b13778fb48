"""What staff type reaches a customer only where they sent it: random lines on every surface, against a plain model."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import aiohttp
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, bindparam, text
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

import main
from bot.settings import Settings
from bot.staff import hearing
from bot.staff.context import Office
from bot.staff.hearing import Heard
from crm import notices, ready, staff
from crm.events import Address, Event, Media, MediaKind, MediaReceived, MessageEdited, TextReceived
from crm.messages import Message
from crm.staff import Role
from simulator.people import MESSENGER, ZALO, ZALO_BOT
from storage import conversations, customers, engines, outbox
from storage.outbox import Sent
from tests.chat import Chat
from tests.handlers.test_staff_answers import WAITS
from tests.staff import order, pair
from tests.storage.rows import NOW, person

SURFACES = (ZALO, MESSENGER, ZALO_BOT, "cli")
NOTICE = "notice-about-customer-1"
SILENT = (
    "/kh 1", "/khach lan", "/tim lan", "/gc 1 ghi chú", "/the 1 +quen", "/tt 1", "/don 1", "/phieu", "/mau", "/macro",
    "/ds toi", "/giu 1", "/hen 2 9h mai", "/he", "/bc", "/ca", "/ok 1234",
)  # fmt: skip
"""Commands that send nothing, whatever is under way."""
PICTURE = "📷"
"""Stands for a picture in what is compared."""


class How(StrEnum):
    """How a line is written: by itself, as a reply to the notice about customer 1 or to something else, as an edit."""

    ALONE = "alone"
    QUOTES = "quotes"
    STRAYS = "strays"
    EDITS = "edits"


class Step(NamedTuple):
    """Something a member of staff does: a line, perhaps under a picture; then time passes."""

    line: str
    how: How = How.ALONE
    seconds: int = 1
    shows: bool = False


@dataclass(slots=True)
class Model:
    """A reader of the staff guide: what a line sends, to whom. Customers are 1 and 2, under these numbers from /ds."""

    entered: int = 0
    entered_at: datetime = NOW
    asks: str = ""
    asked_at: datetime = NOW
    pin: str = ""
    misses: int = 0
    knows_pin_until: datetime = NOW
    pin_until: datetime = NOW
    shown: str = ""
    sent: list[tuple[int, str, datetime]] = field(default_factory=list)

    def hear(self, step: Step, now: datetime) -> None:
        """Follow one line."""
        if step.how is How.EDITS:
            return
        line, self.shown = step.line, PICTURE if step.shows else ""
        orders = line.lstrip().startswith("/")
        if step.shows and (not re.match(r"\s*/(r|mauanh)(\s|$)", line) if orders else self.asks not in ("", "picture")):
            return
        if orders:
            meant = {How.QUOTES: 1, How.STRAYS: 0}.get(step.how, self.within(now))
            self.obey(line.lstrip(), now, meant)
        elif not (line.strip() or self.shown) or self.may_be_pin(step, now):
            return
        elif self.asks:
            if step.how is How.QUOTES and now - self.asked_at < timedelta(minutes=10):
                return
            asked, self.asks = self.asks, ""
            if now - self.asked_at < timedelta(minutes=10):
                self.answer(asked, line.strip(), now)
        elif step.how is How.QUOTES:
            self.send(1, line, now)
        elif step.how is How.STRAYS:
            return
        elif self.within(now):
            if line.strip() not in UNMARKED:
                self.send(self.entered, line, now)
        else:
            self.entered = 0

    def obey(self, line: str, now: datetime, meant: int) -> None:
        """A command; `meant` is whom it means where it names nobody."""
        name, _, rest = line.partition(" ")
        number, _, words = rest.strip().partition(" ")
        named = re.fullmatch("[0-9]{1,2}", number) is not None
        target = int(number) if number in ("1", "2") else 0 if named else meant
        if name == "/r" and target and ((words if named else rest).strip() or self.shown):
            self.asks = ""
            self.send(target, (words if named else rest).strip(), now)
        elif name == "/vao" and target and (named or not rest.strip()):
            self.asks, self.entered, self.entered_at = "", target, now
        elif name in ("/ra", "/thoat", "/pin"):
            self.asks, self.entered = "", 0
            if name == "/pin":
                self.asks, self.asked_at = "old" if self.pin else "new", now
                self.pin_until = now + timedelta(minutes=10)
        elif line in CAPTURES:
            self.asks, self.asked_at = "" if self.shown else CAPTURES[line], now
        elif line == POINTS:
            self.asks = "points" if self.pin and now >= self.knows_pin_until else ""
            self.asked_at, self.entered = now, 0 if self.asks else self.entered
            self.pin_until = now + timedelta(minutes=10) if self.asks else self.pin_until
        elif name in ("/ds", "/huy", "/help") or line in SILENT:
            self.asks = ""
            if name == "/huy" and self.sent and now - self.sent[-1][2] < timedelta(seconds=6):
                self.sent.pop()

    def may_be_pin(self, step: Step, now: datetime) -> bool:
        """Whether these digits are kept from whatever else they could be for, as the PIN that was asked for."""
        is_due = now < self.pin_until and self.asks not in ("old", "new", "points")
        return is_due and step.how is not How.QUOTES and re.fullmatch("[0-9]{4,8}", step.line.strip()) is not None

    def within(self, now: datetime) -> int:
        """The customer whom they have entered."""
        return self.entered if now - self.entered_at < timedelta(minutes=10) else 0

    def answer(self, asked: str, words: str, now: datetime) -> None:
        """Words for a question: the blank of a canned reply goes out with it, everything else to nobody."""
        self.asked_at = now
        if asked == "blank" and words == "-":
            self.asks = "blank"
        elif asked == "blank":
            self.send(1, FILLED.format(words), now)
        if asked not in ("old", "new", "points") or not re.fullmatch("[0-9]{4,8}", words):
            return
        if asked == "new" and len(set(words)) > 1:
            self.pin, self.misses, self.pin_until = words, 0, NOW
        elif asked == "new" or self.misses >= 5:
            return
        elif words != self.pin:
            self.misses += 1
            self.asks = asked if self.misses < 5 else ""
            self.pin_until = now + timedelta(minutes=10) if self.asks else self.pin_until
        elif asked == "old":
            self.misses, self.asks, self.pin_until = 0, "new", now + timedelta(minutes=10)
        else:
            self.misses, self.knows_pin_until, self.pin_until = 0, now + timedelta(minutes=15), NOW

    def send(self, customer: int, words: str, now: datetime) -> None:
        """These words go to this customer."""
        self.sent.append((customer, words.strip() + self.shown, now))
        if customer == self.within(now):
            self.entered_at = now


UNMARKED = ("ds", "ra", "giu 1", "R 2 chào")
"""What looks like a command that lacks its mark: asked about, not sent to whom they have entered."""
WORDS = (
    "chào bạn", "đơn đang giao ạ", "12", "271828", "999999", "1 ok", "no", "-", "🙂", "ba\n\ndòng /r 1 x", *UNMARKED,
)  # fmt: skip
CANNED, FILLED = "đơn tới sau [mấy?] ngày", "đơn tới sau {} ngày"
CAPTURES = {"/mausua x": "text", "/macrosua y": "text", "/mau ship 1": "blank", "/mauanh ship": "picture"}
"""Commands that ask for words, and for which."""
POINTS = "/diem 1 +5 x"
ORDERS = (
    "/ds", "/vao 1", "/vao 2", "/vao", "/vao 9", "/ra", "/thoat", "/pin", "/huy", "/", "//", "/ r 1 hi", "/rr 1 chào",
    "/vao1", "/r", "/help r", "  /ds", "/ok", "/zz 1 hi",
)  # fmt: skip
TO = ("1", "2", "9", "")


def steps() -> st.SearchStrategy[list[Step]]:
    """A while of work."""
    free = st.text("ab1 /đ\n🙂", max_size=8).filter(lambda typed: not typed.lstrip().startswith("/"))
    lines = st.one_of(
        st.sampled_from(WORDS), st.sampled_from(ORDERS), st.sampled_from(SILENT), free,
        st.sampled_from([*CAPTURES, POINTS, "/pin"]),
        st.builds("/r {} {}".format, st.sampled_from(TO), st.sampled_from(WORDS[:4])),
    )  # fmt: skip
    shows = st.sampled_from((False, False, False, True))
    how = st.sampled_from((How.ALONE, How.ALONE, How.ALONE, How.QUOTES, How.QUOTES, How.STRAYS, How.EDITS))
    return st.lists(st.builds(Step, lines, how, st.sampled_from((1, 1, 2, 7, 700)), shows), max_size=14)


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database whose transactions are never committed."""
    path = tmp_path_factory.mktemp("staff") / "staff.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


def office() -> Office:
    """What staff's commands work with; nothing is sent, so no channel has a connection."""
    told = Settings(secret_key="a secret key for tests only")
    return main.office_of(told, main.channels_of(told, cast("aiohttp.ClientSession", None)))


OFFICE = office()


@contextmanager
def transaction(url: str) -> Iterator[Session]:
    """A session that is rolled back."""
    with writer(url).connect() as connection, Session(bind=connection) as session:
        connection.begin()
        yield session


@cache
def writer(url: str) -> Engine:
    """One engine for all examples."""
    return engines.writer(url, "OFF")


@dataclass(slots=True)
class Played:
    """A shop in which two customers wait as #1 and #2 of one member of staff."""

    session: Session
    surface: str
    chat: customers.Person
    ids: dict[int, int]

    def says(self, step: Step, now: datetime) -> None:
        """Let the member of staff write."""
        if self.surface == "cli":
            hearing.order(self.session, OFFICE, "Minh", step.line, now)
            return
        address = Address(self.chat.channel, self.chat.account_id, self.chat.user_id)
        quoted = {How.QUOTES: NOTICE, How.STRAYS: "a list that was shown"}.get(step.how, "")
        facts: dict[str, Any] = {"message_id": "x", "reply_to": quoted, "text": step.line}
        media = (Media(MediaKind.IMAGE, "https://photo.zdn.vn/a.jpg"),)
        event: Event
        if step.how is How.EDITS:
            event = MessageEdited(address, now, message_id="x", text=step.line, revision=1)
        elif step.shows:
            event = MediaReceived(address, now, media=media, **facts)
        else:
            event = TextReceived(address, now, **facts)
        hearing.hear(self.session, OFFICE, self.chat, [Heard(1, event)], now)

    def sends_what_is_due(self, now: datetime) -> None:
        """What waited for its seconds is out."""
        out = "UPDATE outbox SET state = 'sent' WHERE state = 'waiting' AND purpose = 'staff' AND ready_at <= :now"
        self.session.connection().execute(text(out).bindparams(bindparam("now", now, type_=UTCDateTime())))


def played(session: Session, surface: str) -> Played:
    """Open the shop."""
    channel = surface if surface in (ZALO, MESSENGER) else ZALO
    ids = {}
    for number in (1, 2):
        ids[number] = person(session, f"customer-{number}", channel=channel)
        since = NOW - timedelta(minutes=9 - number)
        conversations.set_conversations(session, [{"id": ids[number], "waiting_since": since}])
    member = staff.add(session, "Minh", Role.LEAD, NOW)
    ready.put(session, ready.Kind.REPLY, "ship", CANNED, member.id, NOW)
    chat = person(session, "staff-1", channel=ZALO_BOT if surface == ZALO_BOT else channel)
    customers.set_identities(session, [{"id": chat, "staff_id": member.id}])
    known = customers.person(session, chat)
    assert known is not None
    shop = Played(session, surface, known, ids)
    shop.says(Step("/ds"), NOW)
    notices.tell(session, member.id, "test", lambda _: Message("Lan hỏi"), NOW, conversation_id=ids[1])
    carried = session.connection().execute(text("SELECT outbox_id FROM notice")).scalar_one()
    session.connection().execute(text("UPDATE outbox SET state = 'sending' WHERE id = :id"), {"id": carried})
    outbox.sent(session.connection(), [Sent(carried, NOTICE, "", NOW)])
    return shop


def reached(shop: Played) -> list[tuple[int, str]]:
    """What goes to customers, in order: everything in the outbox that is not for the member of staff."""
    query = "SELECT identity_id, body FROM outbox WHERE identity_id <> :chat AND state <> 'withdrawn' ORDER BY id"
    numbers = {identity: number for number, identity in shop.ids.items()}
    rows = shop.session.connection().execute(text(query), {"chat": shop.chat.identity_id})
    found = [(numbers[row[0]], Message.loads(row[1])) for row in rows]
    return [(number, told.text.strip() + (PICTURE if told.picture else "")) for number, told in found]


def expected(model: Model, channel: str) -> list[tuple[int, str]]:
    """What goes to customers by the guide; Messenger shows a picture by itself, before the words."""
    told: list[tuple[int, str]] = []
    for customer, words, _ in model.sent:
        said = words.removesuffix(PICTURE).strip()
        apart = channel == MESSENGER and said and said != words
        told += [(customer, PICTURE), (customer, said)] if apart else [(customer, words.strip())]
    return told


@pytest.mark.timeout(600)
@pytest.mark.parametrize("surface", SURFACES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(work=steps())
@example(work=[Step("/pin"), Step("/r 1"), Step("chào bạn", How.QUOTES)])
@example(work=[Step("/pin"), Step("271828"), Step(POINTS), Step("/vao 1"), Step("271828")])
@example(work=[Step("/pin"), Step("/mau ship 1"), Step("271828"), Step("chào bạn")])
def test_what_is_not_explicitly_sent_never_reaches_a_customer(shop: str, surface: str, work: Sequence[Step]) -> None:
    with transaction(shop) as session:
        place, model, now = played(session, surface), Model(), NOW + timedelta(minutes=1)
        for step in work:
            step = step if surface != "cli" else step._replace(how=How.ALONE, shows=False)
            place.sends_what_is_due(now)
            place.says(step, now)
            model.hear(step, now)
            now += timedelta(seconds=step.seconds)
        assert reached(place) == expected(model, surface), work


@pytest.mark.parametrize("surface", SURFACES)
async def test_the_platforms_journal_holds_exactly_what_was_sent(with_bot: Chat, surface: str) -> None:
    lan = with_bot.of("lan", surface if surface in (ZALO, MESSENGER) else ZALO)
    member = lan.of("minh", ZALO_BOT if surface == ZALO_BOT else "")
    mai, minh = lan.of("mai"), await pair(member, "Minh", Role.LEAD, pin="")
    for customer in (lan, mai):
        await customer.says(WAITS)
        lan.clock.pass_by(seconds=1)
    give = minh.says if surface != "cli" else lambda line: order(lan, "Minh", line)
    await give("/ds")
    model, dice = Model(entered_at=lan.clock()), random.Random(20261128)
    before = {1: len(lan.contact.lines), 2: len(mai.contact.lines)}
    for _ in range(30):
        line = dice.choice((dice.choice(WORDS), dice.choice(ORDERS), f"/r {dice.choice(TO)} {dice.choice(WORDS[:4])}"))
        await give(line)
        model.hear(Step(line), lan.clock())
        await lan.passes(seconds=dice.choice((1, 2, 7)))
    await lan.passes(seconds=7)
    for number, customer in ((1, lan), (2, mai)):
        heard = [line.text for line in list(customer.contact.lines)[before[number] :]]
        assert heard == [words for to, words, _ in model.sent if to == number]
    assert len(model.sent) > 5


async def test_a_pin_is_kept_nowhere_but_as_a_hash(each: Chat) -> None:
    member = await pair(each.of("minh"), "Minh", Role.LEAD, pin="")
    await member.says("/pin")
    await member.says("80417264")
    await member.says("/diem 0901234567 +5 x")

    def everything(session: Session) -> str:
        tables = session.connection().execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        return "\n".join(
            str(tuple(row))
            for name in list(tables)
            for row in session.connection().execute(text(f'SELECT * FROM "{name}"'))
        )

    kept = await each.does(everything)
    assert "80417264" not in kept
