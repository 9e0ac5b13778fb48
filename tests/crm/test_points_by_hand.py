"""Points given by hand, for events, and out of an older system's file: by two above a limit, once, and undone whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from crm import adjustments, customers, gifts, ledger, loyalty, opening
from crm.errors import Conflict, Invalid, NotFound
from crm.ledger import Fact, NotEnough
from crm.programme import Event
from storage import ledger_check, lots
from tests.conftest import Clock
from tests.crm import programme
from tests.crm.people import born

EVENTS = """
[[event]]
id = "birthday"
vi = "quà sinh nhật"
en = "a birthday gift"
event = "birthday"
points = 30
often = "year"

[[event]]
id = "joined"
vi = "quà liên kết"
en = "a gift for linking"
event = "sign_up"
points = 10

[[event]]
id = "friend"
vi = "giới thiệu bạn"
en = "a friend"
event = "referral"
points = 7
often = "always"
"""


@pytest.fixture
def lan(session: Session, clock: Clock) -> int:
    """A customer, under the full programme: more than 500 points need two."""
    programme.load(session, programme.FULL + EVENTS, clock())
    return customers.known(session, "C1", clock())


def fact(clock: Clock, key: str, **more: str) -> Fact:
    """Something that Mai does."""
    return Fact(key=key, now=clock(), **{"reason": "quà xin lỗi", "actor": "staff:mai", **more})  # type: ignore[arg-type]


def test_up_to_the_limit_one_person_may_and_points_expire_as_others(session: Session, clock: Clock, lan: int) -> None:
    done = adjustments.adjust(session, lan, 500, fact(clock, "a"))
    assert done.posted is not None and done.posted.spendable == 500 and done.waiting is None
    assert lots.open_lots(session, lan, "spend")[0].expires_at == datetime(2027, 11, 30, 17, tzinfo=UTC)
    taken = adjustments.adjust(session, lan, -200, fact(clock, "b"))
    assert taken.posted is not None and taken.posted.spendable == 300
    with pytest.raises(NotEnough):
        adjustments.adjust(session, lan, -301, fact(clock, "c"))


@pytest.mark.parametrize("points", [501, -501])
def test_above_it_somebody_else_must_agree_once(session: Session, clock: Clock, lan: int, points: int) -> None:
    ledger.earn(session, lan, 1000, Fact(key="gift", now=clock()))
    first = adjustments.adjust(session, lan, points, fact(clock, "a")).waiting
    assert first is not None and first == adjustments.adjust(session, lan, points, fact(clock, "a")).waiting
    with pytest.raises(Conflict, match="Somebody else"):
        adjustments.approve(session, first.id, "staff:mai", clock())
    assert ledger.holding(session, lan).balance == 1000
    done = adjustments.approve(session, first.id, "staff:hoa", clock())
    assert (done.state, done.decided_by, ledger.holding(session, lan).balance) == (
        "approved", "staff:hoa", 1000 + points,
    )  # fmt: skip
    for decide in (adjustments.approve, adjustments.refuse):
        with pytest.raises(Conflict, match="decided already"):
            decide(session, first.id, "staff:duc", clock())
    assert adjustments.waiting(session) == []


def test_what_one_person_did_alone_that_day_counts_whoever_got_it(session: Session, clock: Clock, lan: int) -> None:
    binh = customers.known(session, "C2", clock())
    gifts_of_mai = [(lan, 300), (binh, 200), (lan, 1), (binh, 400)]
    done = [adjustments.adjust(session, who, points, fact(clock, str(number)))
            for number, (who, points) in enumerate(gifts_of_mai)]  # fmt: skip
    assert [each.waiting is None for each in done] == [True, True, False, False]
    assert adjustments.adjust(session, lan, 300, fact(clock, "0")).repeated, "what was told again is not told anew"
    assert adjustments.adjust(session, lan, 500, fact(clock, "hoa", actor="staff:hoa")).waiting is None
    assert done[2].waiting is not None
    adjustments.approve(session, done[2].waiting.id, "staff:hoa", clock())
    clock.now = datetime(2026, 11, 23, 17, tzinfo=UTC) - timedelta(seconds=1)
    assert adjustments.adjust(session, lan, 1, fact(clock, "late")).waiting is not None
    clock.pass_by(seconds=1)
    assert adjustments.adjust(session, lan, 500, fact(clock, "tomorrow")).waiting is None
    assert (ledger.holding(session, lan).balance, ledger.holding(session, binh).balance) == (1301, 200)


def test_what_is_put_right_that_day_does_not_count_and_taking_from_one_for_another_does(
    session: Session, clock: Clock, lan: int
) -> None:
    binh = customers.known(session, "C2", clock())
    ledger.earn(session, binh, 500, Fact(key="gift", now=clock()))
    steps = [(lan, 500), (lan, -500), (binh, -250), (lan, 250), (lan, 1), (lan, -250), (lan, 250)]
    done = [adjustments.adjust(session, who, points, fact(clock, str(number))).waiting is None
            for number, (who, points) in enumerate(steps)]  # fmt: skip
    assert done == [True, True, True, True, False, True, True]


def test_a_person_is_the_same_at_the_till_and_on_the_command_line(session: Session, clock: Clock, lan: int) -> None:
    assert adjustments.adjust(session, lan, 400, fact(clock, "a", actor="api:Hòa")).waiting is None
    assert adjustments.adjust(session, lan, 101, fact(clock, "b", actor="cli:hoa")).waiting is not None


def test_points_out_of_a_file_are_nobodys_gifts(session: Session, clock: Clock, lan: int) -> None:
    customers.known(session, "C2", clock())
    loaded(session, clock, "customer,points\nC1,9000\nC2,9000\n")
    assert adjustments.adjust(session, lan, 500, fact(clock, "a", actor="cli:owner")).waiting is None


def test_what_waits_for_a_chat_goes_to_the_customer_that_it_turned_out_to_be(
    session: Session, clock: Clock, lan: int
) -> None:
    person = born(session, clock())
    found = adjustments.adjust(session, person.customer_id, 900, fact(clock, "a")).waiting
    assert found is not None
    customers.put_customer(session, "C1", now=clock(), name="Lan", phone="0901234501")
    assert customers.join_by_phone(session, person, "0901234501", clock()) is customers.Join.JOINED
    adjustments.approve(session, found.id, "staff:hoa", clock())
    assert ledger.holding(session, lan).balance == 900 + 10, "and what linking brings"
    assert ledger.holding(session, person.customer_id).balance == 0


def test_what_is_refused_never_happens(session: Session, clock: Clock, lan: int) -> None:
    found = adjustments.adjust(session, lan, 900, fact(clock, "a")).waiting
    assert found is not None
    assert adjustments.refuse(session, found.id, "staff:mai", clock()).state == "refused"
    assert ledger.holding(session, lan).balance == 0
    with pytest.raises(NotFound):
        adjustments.approve(session, found.id + 1, "staff:hoa", clock())


@pytest.mark.parametrize(
    ("points", "more", "field"),
    [
        (0, {}, "points"), (1.5, {}, "points"), (10**12, {}, "points"), (5, {"reason": " "}, "reason"),
        (5, {"reason": "x" * 301}, "reason"), (5, {"actor": ""}, "actor"),
    ],
)  # fmt: skip
def test_without_a_number_a_reason_or_a_name_nothing_is_given(
    session: Session, clock: Clock, lan: int, points: int, more: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        adjustments.adjust(session, lan, points, fact(clock, "a", **more))
    assert refused.value.field == field


def test_a_birthday_is_given_once_a_year_and_on_the_28th_where_there_is_no_29th(
    session: Session, clock: Clock, lan: int
) -> None:
    for name, birthday in (("C1", "1990-02-28"), ("C2", "2000-02-29"), ("C3", "1990-03-01"), ("C4", "")):
        customers.put_customer(session, name, now=clock(), name="Khách", birthday=birthday)
    clock.now = datetime(2027, 2, 28, 1, tzinfo=UTC)
    for _ in range(2):
        after: int | None = 0
        while after is not None:
            after = gifts.birthdays(session, after, 1, clock())
    held = [loyalty.balance(session, customers.find(session, f"C{number}").id) for number in (1, 2, 3, 4)]
    assert held == [30, 30, 0, 0]


def test_who_links_a_chat_is_welcomed_once_and_a_friend_each_time(session: Session, clock: Clock, lan: int) -> None:
    phone = "0901234501"
    customers.put_customer(session, "C1", now=clock(), name="Lan", phone=phone)
    for channel in ("zalo", "messenger"):
        customers.join_by_phone(session, born(session, clock(), user_id="u", channel=channel), phone, clock())
    assert loyalty.balance(session, lan) == 10
    for friend in ("f1", "f2", "f2"):
        gifts.give(session, lan, Event.REFERRAL, friend, clock())
    assert loyalty.balance(session, lan) == 24
    told = loyalty.told(session, loyalty.history(session, lan), clock())
    assert [line.event_en for line in told] == ["a friend", "a friend", "a gift for linking"]


FILE = "customer,points,expires,reason\nC1,100,,\nC2,50,2027-01-31,thẻ giấy\n"
TODAY = date(2026, 11, 23)


def loaded(session: Session, clock: Clock, text: str = FILE) -> int:
    """A file that is loaded in two ranges; its batch."""
    plan = opening.read(text, TODAY)
    assert plan.problems == () and opening.missing(session, plan.rows) == []
    batch = opening.open_batch(session, plan, "old.csv", "cli:owner", clock())
    for row in plan.rows:
        opening.load(session, batch, [row], clock(), "cli:owner")
    return batch


def test_opening_balances_come_as_one_batch_and_go_as_one(session: Session, clock: Clock, lan: int) -> None:
    other = customers.known(session, "C2", clock())
    batch = loaded(session, clock)
    assert (ledger.holding(session, lan).balance, ledger.holding(session, other).balance) == (100, 50)
    assert lots.open_lots(session, other, "spend")[0].expires_at == datetime(2027, 1, 31, 17, tzinfo=UTC)
    with pytest.raises(Conflict, match=str(batch)):
        opening.open_batch(session, opening.read(FILE, TODAY), "old.csv", "cli:owner", clock())
    ledger.redeem(session, other, 20, Fact(key="gift", now=clock()))
    ledger.earn(session, lan, 5, Fact(key="own", now=clock()))
    for _ in range(2):
        after: int | None = 0
        while after is not None:
            after = opening.undo(session, batch, after, 1, clock())
    assert ledger.holding(session, lan) == (5, 0, 0, 0)
    assert ledger.holding(session, other) == (-20, 0, 0, 20)
    assert ledger_check.faults(session) == []
    assert loaded(session, clock) != batch, "what was taken back may be loaded again"


def _sort_as_people_do(session: Session) -> None:
    """Let keys be sorted as most servers do, signs before digits; skips where this machine knows of no such order."""
    connection = session.connection()
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE COLLATION people (provider = libc, locale = 'en_US.UTF-8')"))
    except DBAPIError:
        pytest.skip("no locale en_US.UTF-8 on this machine")
    connection.execute(text("ALTER TABLE ledger_entry ALTER source_key TYPE varchar(255) COLLATE people"))


def test_a_batch_is_found_whole_however_a_database_sorts_words(session: Session, clock: Clock, lan: int) -> None:
    if session.get_bind().dialect.name == "postgresql":
        _sort_as_people_do(session)
    customers.known(session, "C2", clock())
    batch = loaded(session, clock)
    with pytest.raises(Conflict, match=str(batch)):
        opening.open_batch(session, opening.read(FILE, TODAY), "old.csv", "cli:owner", clock())
    assert opening.undo(session, batch, 0, 50, clock()) is None
    assert ledger.holding(session, lan) == (0, 0, 0, 0)
    assert ledger_check.faults(session) == []


def test_a_load_that_was_cut_short_goes_on_and_repays_what_is_owed(session: Session, clock: Clock, lan: int) -> None:
    ledger.take_back(session, lan, 30, Fact(key="refund", now=clock()))
    customers.known(session, "C2", clock())
    plan = opening.read(FILE, TODAY)
    batch = opening.open_batch(session, plan, "old.csv", "cli:owner", clock())
    opening.load(session, batch, plan.rows[:1], clock())
    assert opening.open_batch(session, plan, "old.csv", "cli:owner", clock()) == batch
    opening.load(session, batch, plan.rows, clock())
    assert ledger.holding(session, lan) == (70, 0, 0, 0)
    assert ledger_check.faults(session) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", (1, "customer")),
        ("customer,points\n", (1, "")),
        ("customer,points,colour\nC1,5,red\n", (1, "colour")),
        ("customer,points\nC1,0\n", (2, "points")),
        ("customer,points\nC1,-5\n", (2, "points")),
        ("customer,points\nC1,1.5\n", (2, "points")),
        ("customer,points\nC1,1e3\n", (2, "points")),
        ("customer,points\nC1,99999999999999\n", (2, "points")),
        ("customer,points\n,5\n", (2, "customer")),
        ("customer,points\nC1,5\nC1,5\n", (3, "customer")),
        ("customer,points,expires\nC1,5,2026-11-22\n", (2, "expires")),
        ("customer,points,expires\nC1,5,31/12/2027\n", (2, "expires")),
        ("customer,points\nC1\n", (2, "points")),
    ],
)
def test_a_line_that_is_wrong_is_named(text: str, problem: tuple[int, str]) -> None:
    assert [(each.line, each.field) for each in opening.read(text, TODAY).problems][:1] == [problem]


def test_a_customer_that_nobody_knows_is_named(session: Session, clock: Clock, lan: int) -> None:
    plan = opening.read("customer,points\nC1,5\nC9,5\n", TODAY)
    assert [(each.line, each.field) for each in opening.missing(session, plan.rows)] == [(3, "customer")]
    with pytest.raises(NotFound):
        opening.find(session, 12)


def test_a_batch_of_yesterday_expires_with_its_own_days(session: Session, clock: Clock, lan: int) -> None:
    customers.known(session, "C2", clock())
    loaded(session, clock)
    clock.now = datetime(2027, 1, 31, 17, tzinfo=UTC) - timedelta(seconds=1)
    card = loyalty.card(session, customers.find(session, "C2").id, clock())
    assert card.expiring is not None and card.expiring.points == 50
    clock.pass_by(seconds=1)
    assert loyalty.card(session, customers.find(session, "C2").id, clock()).spendable == 0
