"""A preview is what sending does if nothing changes, over random shops; it writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import Session

import main
from bot import previews
from bot.allowances import Allowances
from bot.broadcasting import Sender
from bot.channels.base import Channel
from bot.looks import Look, Room
from bot.marketing import Gate
from bot.pace import Paces
from bot.previews import Estimate
from bot.registry import Registry
from bot.settings import Settings
from bot.templates import Templates
from crm import broadcasts, consent, customers, recipients, segments, templates
from crm import previews as walked
from crm.budget import Budget
from crm.caps import Caps
from crm.content import ByTemplate, Content
from crm.errors import Conflict
from crm.lawful import LawfulHours
from crm.messages import Purpose
from crm.segments import AsOf
from crm.templates import Status, Tag, Template
from crm.verdicts import Policy
from storage import accounts
from storage import broadcasts as rows
from storage import customers as people
from storage import recipients as enrolled
from storage.columns import new_id
from storage.database import Database
from tests.conftest import Clock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOURS = timedelta(hours=1)
OFFER = ByTemplate("zalo", "oa1", "777", to_phone=True)
WORDS = 'Chào {{ khach.ten or "bạn" }}, cuối tuần giảm 20%'


@dataclass(frozen=True)
class Somebody:
    """One customer with at most one chat on each channel."""

    name: str
    phone: bool
    chats: tuple[tuple[str, int | None, bool, str], ...]
    """Channel, hours since they wrote, whether they blocked us, who holds the conversation."""
    said: tuple[tuple[str, bool], ...]
    """Where, and yes or no."""
    got: int
    """So many advertisements in the last hours."""


chats = st.lists(
    st.tuples(
        st.sampled_from(("zalo", "messenger")), st.sampled_from((None, 1, 30, 100, 2000)), st.booleans(),
        st.sampled_from(("bot", "bot", "bot", "staff", "blocked")),
    ),
    max_size=2, unique_by=lambda chat: chat[0],
).map(tuple)  # fmt: skip
somebody = st.builds(
    Somebody, name=st.sampled_from(("", "Lan", "Nguyễn Thị Minh Khai")), phone=st.booleans(), chats=chats,
    said=st.lists(st.tuples(st.sampled_from(("", "zalo", "messenger")), st.booleans()), max_size=2).map(tuple),
    got=st.integers(0, 2),
)  # fmt: skip
shops = st.fixed_dictionaries(
    {
        "people": st.lists(somebody, min_size=1, max_size=6),
        "template": st.booleans(),
        "ceiling": st.sampled_from((None, 0, 500, 10_000)),
        "purpose": st.sampled_from((Purpose.BROADCAST, Purpose.CARE)),
    }
)


@pytest.fixture(autouse=True, scope="module")
def two_at_once() -> Iterator[None]:
    """What adds up over everybody must add up over several steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walked, "AT_ONCE", 2)
        yield


def estimate(session: Session, sender: Sender, number: int, now: datetime) -> Estimate:
    """All steps of a look, in one session."""
    looking = previews.Looking(session, sender, number, now, None)
    while looking.step(session):
        pass
    return looking.end(session)


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """What the block writes is forgotten afterwards."""
    with session.begin_nested() as before:
        yield
        before.rollback()


@pytest.mark.timeout(170)
async def test_a_preview_is_what_sending_does_if_nothing_changes(session: Session, clock: Clock) -> None:
    given_settings = Settings(secret_key="a key for tests only")
    async with main.reaching(given_settings) as channels:
        check = given(shop=shops)(lambda shop: alike(session, clock, channels, **shop))
        settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))(check)()


def alike(
    session: Session,
    clock: Clock,
    channels: dict[str, Channel],
    people: list[Somebody],
    template: bool,
    ceiling: int | None,
    purpose: Purpose,
) -> None:
    """Look at a shop, then let sending decide; both say the same of everybody."""
    with undone(session):
        said = Content(WORDS, templates=(OFFER,) if template else ())
        ids = open_shop(session, clock, people, template)
        number = broadcasts.draft(session, f"Tin {new_id()}", purpose, said, "tatca", "cli", clock())
        broadcast = broadcasts.get(session, number)
        sender, frame = sending(channels, ceiling), AsOf(clock(), ZONE)
        policy, budget = sender.policy, sender.budget
        before = counted(session)
        found = estimate(session, sender, broadcast.id, clock()).preview
        assert counted(session) == before, "a preview writes nothing"
        rows.change(session, number, state=rows.RUNNING)
        members = segments.members(session, segments.parse(broadcast.segment), frame)
        planned = enrolled.freezing(session, number, purpose.value, members, clock())
        enrolled.freeze(session, planned, -1, max(ids))
        taken = recipients.take(session, gate(session, channels, budget, clock), policy, None, clock(), 1000)
        assert found.people == len(ids)
        assert found.skips == Counter(taken.skips.values())
        assert found.waits == Counter(held.reason for _, held in taken.waits)
        assert found.ways.total() == len(taken.ready)
        assert found.cost == sum(each.option.reach.cost for each in taken.ready)
        texts = {each.recipient.customer_id: each.message.text for each in taken.ready}
        assert all((sample.text or "") == texts[sample.customer_id] for sample in found.samples)


async def test_a_preview_tells_who_gets_it_who_does_not_and_why_and_what_the_nameless_read(
    session: Session, clock: Clock
) -> None:
    chat = (("zalo", 1, False, "bot"),)
    shop = [
        Somebody("", False, chat, (("zalo", True),), 0), Somebody("Lan", False, chat, (("zalo", True),), 0),
        Somebody("Hoa", False, chat, (), 0), Somebody("Minh", False, (("zalo", 100, False, "bot"),), (("", False),), 0),
    ]  # fmt: skip
    open_shop(session, clock, shop, template=False)
    given_settings = Settings(secret_key="a key for tests only")
    number = broadcasts.draft(session, "Tin", Purpose.BROADCAST, Content(WORDS), "tatca", "cli", clock())
    async with main.reaching(given_settings) as channels:
        sender = sending(channels, 10_000, alone=3)
        found = estimate(session, sender, number, clock())
    told = previews.words(Templates(ZONE, {"brand": "Tiệm"}), found, sender, clock(), "vi")
    assert told.startswith("4 người, tính từ 10:00 ")
    assert "2 gửi được Zalo, 2 không gửi" in told
    assert "• không gửi 1: khách chưa đồng ý" in told and "• không gửi 1: khách không muốn" in told
    assert "ngân sách tháng còn 10.000" in told
    assert "— (chưa có tên): [QC] Chào bạn, cuối tuần giảm 20%" in told
    assert "DỪNG" in told
    assert "cần người thứ hai duyệt" in told


@pytest.mark.parametrize(
    ("locale", "told"), [("vi", "1 gửi được Zalo, 1 gửi được Zalo (có phí)"), ("en", "1 by Zalo, 1 by Zalo (paid)")]
)
async def test_a_preview_says_which_way_on_a_channel_costs(
    session: Session, clock: Clock, locale: str, told: str
) -> None:
    shop = [Somebody("Lan", False, (("zalo", hours, False, "bot"),), (), 0) for hours in (1, 100)]
    open_shop(session, clock, shop, template=False)
    number = broadcasts.draft(session, "Tin", Purpose.TRANSACTION, Content(WORDS), "tatca", "cli", clock())
    async with main.reaching(Settings(secret_key="a key for tests only")) as channels:
        sender = sending(channels, 10_000, alone=3)
        found = estimate(session, sender, number, clock())
    assert told in previews.words(Templates(ZONE, {"brand": "Tiệm"}), found, sender, clock(), locale)


async def test_a_preview_says_on_which_channel_the_words_go_without_the_picture(session: Session, clock: Clock) -> None:
    shop = [
        Somebody("Lan", False, ((channel, 1, False, "bot"),), ((channel, True),), 0)
        for channel in ("zalo", "messenger", "messenger")
    ]
    open_shop(session, clock, shop, template=False)
    said = Content(WORDS, picture="https://shop.vn/tet.jpg")
    number = broadcasts.draft(session, "Tin", Purpose.BROADCAST, said, "tatca", "cli", clock())
    async with main.reaching(Settings(secret_key="a key for tests only")) as channels:
        sender = sending(channels, None)
        found = estimate(session, sender, number, clock())
    assert found.preview.bare == {"messenger": 2}
    assert sorted(sample.picture for sample in found.preview.samples) == [False, False, True]
    told = previews.words(Templates(ZONE, {}), found, sender, clock(), "vi")
    assert "• 2 người trên Messenger chỉ nhận chữ, không có ảnh" in told and "[ảnh] [QC] Chào Lan" in told


async def test_others_read_between_the_steps_of_a_look_and_one_that_takes_too_long_is_refused_in_words(
    database: Database, clock: Clock
) -> None:
    chat = (("zalo", 1, False, "bot"),)

    def shop(session: Session) -> int:
        open_shop(session, clock, [Somebody("Lan", False, chat, (("zalo", True),), 0)] * 5, template=False)
        return broadcasts.draft(session, "Tin", Purpose.BROADCAST, Content(WORDS), "tatca", "cli", clock())

    number = await database.write(shop)
    reads = 0

    def note(*_: object) -> None:
        nonlocal reads
        reads += 1

    async with main.reaching(Settings(secret_key="a key for tests only")) as channels:
        sender = sending(channels, None)
        event.listen(Engine, "begin", note)
        try:
            found = await previews.estimate(database, sender, number, clock())
        finally:
            event.remove(Engine, "begin", note)
        assert (found.preview.people, found.preview.ways.total()) == (5, 5)
        assert reads >= 5, "a begin, three steps of two people, the one that finds nobody, and an end"
        with pytest.raises(Conflict, match=f"khachquen broadcast preview {number}"):
            await previews.estimate(database, sender, number, clock(), within=timedelta())


def sending(channels: dict[str, Channel], ceiling: int | None, alone: int = 0) -> Sender:
    """A shop with these channels and this budget."""
    return Sender(channels, Policy(Caps(1, 3), LawfulHours(ZONE)), Budget(ceiling, ZONE), alone, ZONE, "vi")


def open_shop(session: Session, clock: Clock, people_: list[Somebody], template: bool) -> list[int]:
    """These customers, two accounts, and a template that costs something."""
    for channel, account in (("zalo", "oa1"), ("messenger", "p1")):
        accounts.add(session, channel, account, clock())
    if template:
        known = Template(
            "zalo", "oa1", "777", status=Status.APPROVED, tag=Tag.PROMOTION, price_user=300, price_phone=500
        )
        templates.keep(session, "zalo", "oa1", [known], clock())
    ids = [_one(session, clock, number, each) for number, each in enumerate(people_)]
    earlier(session, clock, ids, people_)
    return ids


def _one(session: Session, clock: Clock, number: int, each: Somebody) -> int:
    customer = customers.known(session, f"C{number}", clock())
    people.change(session, customer, name=each.name, phone=f"+8490123456{number}" if each.phone else None)
    for channel, hours, blocked, holder in each.chats:
        identity = new_id()
        row = {
            "id": identity, "customer_id": customer, "channel": channel,
            "account_id": "oa1" if channel == "zalo" else "p1", "user_id": f"u{number}", "name": "",
            "last_interaction_at": clock() - hours * HOURS if hours is not None else None,
            "unreachable_since": clock() if blocked else None, "created_at": clock(),
        }  # fmt: skip
        people.add_many(session, [], [row], [{"id": identity, "holder": holder}])
    for minute, (covers, granted) in enumerate(each.said):
        at = clock() - timedelta(minutes=9 - minute)
        consent.say(session, customer, granted=granted, at=at, covers=covers)
    return customer


def earlier(session: Session, clock: Clock, ids: list[int], people_: list[Somebody]) -> None:
    """What these customers got in the last hours."""
    for nth in (0, 1):
        number = broadcasts.draft(session, f"Cũ {nth}", Purpose.BROADCAST, Content("Cũ"), "tatca", "cli", clock())
        enrolled.enrol(
            session,
            [
                {
                    "broadcast_id": number, "customer_id": customer, "purpose": "broadcast", "state": "sent",
                    "due_at": clock(), "created_at": clock(), "sent_at": clock() - 2 * HOURS,
                }
                for customer, each in zip(ids, people_, strict=True)
                if each.got > nth
            ],
        )  # fmt: skip


def gate(session: Session, channels: dict[str, Channel], budget: Budget, clock: Clock) -> Gate:
    """What sending knows, on accounts without a pace."""
    allowed = Allowances()
    allowed.read(session)
    room = {key: Room(pace.id, 1000, clock(), timedelta()) for key, pace in accounts.paces(session).items()}
    return Gate(channels, Paces({}), Look(session, Registry(), budget, allowed, room, clock(), []), clock())


def counted(session: Session) -> list[int]:
    """Rows of what sending would write."""
    tables = ("identity", "outbox", "recipient", "message", "alarm")
    return [session.connection().exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in tables]
