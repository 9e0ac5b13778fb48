"""Care over a year in seconds: each due thing once and at its time, nothing at night, and late only as a rule says."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.care import Rules
from crm import adjustments, care, care_enrolment, care_report, consent, customers, recipients
from crm.caps import Caps
from crm.customers import Join
from crm.ledger import Fact
from crm.orders import Status
from crm.segments import AsOf
from crm.verdicts import Policy
from storage import customers as rows
from storage.customers import Person
from tests.conftest import Clock
from tests.crm import people, programme
from tests.crm.care import BEANS, CUP, SHOP, OpenDoor, Shop, at
from tests.crm.programme import ZONE
from tests.crm.test_care_file import RULE

HELLO = """
name = "hello"
vi = "Chào"
en = "Hello"
moment = "joined"
minutes = 5
late = "skip"

[text]
vi = "Chào bạn"
"""
SQLITE = pytest.mark.parametrize("session", ["sqlite"], indirect=True)


@pytest.fixture
def shop(session: Session, clock: Clock) -> Shop:
    """A shop on Monday, 23 November 2026, at ten in the morning."""
    return Shop(session, clock)


@SQLITE
def test_a_year_of_a_small_shop(shop: Shop) -> None:
    for path in care.shipped():
        shop.rule(path)
    lan = shop.joins("lan", birthday="1996-02-29")
    shop.joins("minh", birthday="--03-01", consents=False)
    shop.passes(
        at(3, 5, 0),
        (at(12, 1, 12, year=2026), lambda: shop.tells("A", "lan", Status.CONFIRMED, BEANS)),
        (
            at(12, 3, 15, year=2026),
            lambda: shop.tells("A", "lan", Status.DELIVERED, BEANS, placed_at=at(12, 1, 12, year=2026)),
        ),
    )
    while shop.clock() < at(11, 30, 0):
        shop.clock.pass_by(days=20)
        shop.tick()
    assert shop.told() == [
        ("welcome", "Lan", at(11, 24, 10, year=2026)),
        ("after_delivery", "Lan", at(12, 6, 9, 30, year=2026)),
        ("review_request", "Lan", at(12, 10, 10, year=2026)),
        ("refill", "Lan", at(12, 28, 9, 30, year=2026)),
        ("win_back", "Lan", at(1, 30, 10)),
        ("birthday", "Lan", at(2, 28, 8)),
    ]
    reasons = {(each.state, each.reason): each.people for each in care_report.tally(shop.session, "birthday")}
    assert reasons == {("sent", ""): 1, ("skipped", "no_consent"): 1}
    assert all(7 <= when.hour < 22 for _, _, when in shop.told())
    assert "Mây Trưa chúc mừng sinh nhật Lan!" in shop.sent[-1][3]
    assert lan


@SQLITE
@pytest.mark.parametrize(
    ("late", "sent_at"),
    [
        ("skip", None),
        ("send_once", at(12, 6, 7, year=2026)),
        ("reschedule", at(12, 6, 9, 30, year=2026)),
    ],
)
def test_after_three_days_off_a_message_goes_as_its_rule_says_and_never_at_three_in_the_morning(
    shop: Shop, late: str, sent_at: object
) -> None:
    shop.rule(RULE.replace('"reschedule"', f'"{late}"'))
    shop.joins("lan")
    shop.clock.now = at(12, 1, 12, year=2026).astimezone(shop.clock.now.tzinfo)
    shop.tells("A", "lan", Status.DELIVERED)
    shop.clock.now = at(12, 6, 3, year=2026).astimezone(shop.clock.now.tzinfo)
    shop.tick()
    assert shop.sent == []
    shop.passes(at(12, 8, 0, year=2026))
    assert [when for _, _, when in shop.told()] == ([sent_at] if sent_at else [])


@SQLITE
def test_who_was_left_alone_for_two_weeks_gets_one_late_message_the_newest(shop: Shop) -> None:
    for number in range(4):
        shop.rule(RULE.replace('"thanks"', f'"thanks{number}"').replace("days = 2", f"days = {number}\nlate_days = 20"))
    lan, minh = shop.joins("lan"), shop.joins("minh")
    shop.tells("A", "lan", Status.DELIVERED)
    shop.tells("B", "minh", Status.DELIVERED)
    shop.clock.pass_by(days=14)
    shop.passes(shop.clock() + timedelta(days=10))
    assert sorted((rule, who) for rule, who, _ in shop.told()) == [("thanks3", "Lan"), ("thanks3", "Minh")]
    assert {lan, minh}


def test_two_nodes_that_look_at_once_enrol_each_subject_once(session: Session, clock: Clock) -> None:
    shop = Shop(session, clock)
    shop.rule(RULE)
    shop.joins("lan")
    for number in range(5):
        shop.tells(f"A{number}", "lan", Status.DELIVERED)
    clock.pass_by(minutes=5)
    late_node = Shop(session, Clock())
    late_node.clock.now = clock() - timedelta(seconds=90)
    for _ in range(3):
        shop.tick()
        late_node.tick()
    assert care_report.counts(session, "thanks").waiting == 5


@SQLITE
def test_an_opt_out_ends_what_waits_and_a_cap_puts_it_off(shop: Shop) -> None:
    shop.caps = Caps(1, 0)
    shop.rule(RULE)
    lan = shop.joins("lan")
    for number in range(3):
        shop.tells(f"A{number}", "lan", Status.DELIVERED)
    shop.passes(at(11, 27, 0, year=2026))
    assert [f"{when:%m-%d %H:%M}" for _, _, when in shop.told()] == ["11-25 09:30", "11-26 09:30"]
    consent.say(shop.session, lan, granted=False, at=shop.clock())
    shop.passes(at(12, 10, 0, year=2026))
    assert len(shop.sent) == 2
    assert care_report.counts(shop.session, "thanks") == (0, 2, 1)


@SQLITE
def test_a_journey_goes_on_from_message_to_message_until_its_goal_is_reached(shop: Shop) -> None:
    shop.rule(RULE)
    follows = RULE.replace('moment = "order_delivered"', 'after = "thanks"\ngoal = "replied"')
    follows = follows.replace('"thanks"\nvi', '"second"\nvi', 1).replace(" đã mua đơn {{ don.ma }}", "")
    shop.rule(follows.replace(" {{ don.ma }}", ""))
    shop.joins("lan")
    shop.joins("minh")
    shop.tells("A", "lan", Status.DELIVERED)
    shop.tells("B", "minh", Status.DELIVERED)
    shop.passes(at(11, 30, 0, year=2026), (at(11, 26, 12, year=2026), lambda: shop.writes("minh")))
    assert shop.told()[2:] == [("second", "Lan", at(11, 27, 9, 30, year=2026))]
    assert [(each.state, each.reason) for each in care_report.tally(shop.session, "second")] == [
        ("sent", ""), ("skipped", "goal"),
    ]  # fmt: skip


def _guest(shop: Shop, name: str) -> Person:
    """Somebody who wrote on Messenger and wants our news, whose birthday is on 25 November."""
    guest = people.born(shop.session, shop.clock(), user_id=name, channel="messenger")
    rows.set_identities(shop.session, [{"id": guest.identity_id, "last_interaction_at": shop.clock()}])
    consent.say(shop.session, guest.customer_id, granted=True, at=shop.clock())
    rows.change(shop.session, guest.customer_id, birthday="1990-11-25")
    return guest


def test_who_turns_out_to_be_a_customer_already_hears_nothing_twice(session: Session, clock: Clock) -> None:
    shop = Shop(session, clock)
    shop.rule(care.SHIPPED / "welcome.toml")
    shop.rule(care.SHIPPED / "birthday.toml")
    guests = [_guest(shop, f"guest{number}") for number in range(2)]
    lan = shop.joins("lan", birthday="1990-11-25")
    phone = rows.profile(session, lan).phone  # type: ignore[union-attr]

    def join(number: int) -> None:
        assert customers.join_by_phone(session, guests[number], phone or "", clock()) is Join.JOINED

    joined = (at(11, 24, 8, year=2026), lambda: join(0)), (at(11, 25, 7, year=2026), lambda: join(1))
    shop.passes(at(11, 28, 0, year=2026), *joined)
    assert [rule for rule, _, _ in shop.told()] == ["welcome", "welcome", "birthday"]
    assert care_report.counts(session, "welcome") == (0, 2, 1)


@SQLITE
def test_what_one_of_two_got_who_are_one_the_other_does_not_get_later(shop: Shop) -> None:
    shop.rule(care.SHIPPED / "birthday.toml")
    guest = _guest(shop, "guest")
    shop.passes(at(11, 25, 9, year=2026))
    shop.joins("lan")
    lan = customers.find(shop.session, "lan")
    customers.join_by_phone(shop.session, guest, lan.phone or "", shop.clock())
    rows.change(shop.session, lan.id, birthday="1990-11-25")
    shop.session.connection().execute(text("UPDATE care_standing SET seen_at = since, seen_id = 0"))
    shop.passes(at(11, 28, 0, year=2026))
    assert len(shop.told()) == 1


@SQLITE
def test_what_began_under_a_version_ends_by_it_and_a_paused_rule_waits(shop: Shop) -> None:
    shop.rule(RULE)
    shop.joins("lan")
    shop.joins("minh")
    shop.tells("A", "lan", Status.DELIVERED)
    shop.passes(shop.clock() + timedelta(hours=1))
    shop.rule(RULE.replace("Cảm ơn {{", "Đa tạ {{"))
    shop.tells("B", "minh", Status.DELIVERED)
    shop.passes(at(11, 25, 9, year=2026))
    care.pause(shop.session, "thanks", "test", shop.clock())
    shop.passes(at(11, 25, 12, year=2026))
    assert shop.sent == []
    care.turn_on(shop.session, "thanks", "test", shop.clock())
    shop.passes(at(11, 25, 13, year=2026))
    assert sorted((who, words.split()[0]) for _, _, who, words in shop.sent) == [("Lan", "Cảm"), ("Minh", "Đa")]


@SQLITE
def test_a_rule_that_is_turned_off_sends_nothing_more(shop: Shop) -> None:
    shop.rule(RULE)
    shop.joins("lan")
    shop.tells("A", "lan", Status.DELIVERED)
    shop.passes(shop.clock() + timedelta(hours=1))
    care.turn_off(shop.session, "thanks", "test", shop.clock())
    shop.passes(at(11, 30, 0, year=2026))
    assert shop.sent == []
    assert [(each.reason, each.people) for each in care_report.tally(shop.session, "thanks")] == [("rule_off", 1)]


def test_what_was_taken_before_its_rule_was_stopped_is_called_for_no_more(session: Session, clock: Clock) -> None:
    shop = Shop(session, clock)
    shop.rule(HELLO)
    shop.joins("lan")
    now = clock.pass_by(minutes=10)
    care_enrolment.follow(session, "hello", now, shop.hours, 10)
    source, policy = Rules(AsOf(now, ZONE), SHOP), Policy(shop.caps, shop.hours, SHOP)
    (ready,) = recipients.take(session, OpenDoor(now), policy, source, now, 10).ready
    may = partial(recipients.may_still_go, session, ready.recipient.id, "zalo")
    assert may()
    care.pause(session, "hello", "test", now)
    assert not may()
    care.turn_on(session, "hello", "test", now)
    assert may()
    care.turn_off(session, "hello", "test", now)
    assert not may()


@SQLITE
def test_an_order_that_came_back_and_a_condition_that_fails_are_reasons(shop: Shop) -> None:
    shop.rule(RULE.replace("days = 2", 'days = 2\ncondition = "khong(tag:khieu_nai)"'))
    for who in ("lan", "minh"):
        shop.joins(who)
        shop.tells(who, who, Status.DELIVERED)
    shop.passes(shop.clock() + timedelta(days=1))
    shop.tells("lan", "lan", Status.RETURNED)
    shop.tagged("minh", "khieu_nai")
    shop.passes(at(11, 30, 0, year=2026))
    assert [(each.reason, each.people) for each in care_report.tally(shop.session, "thanks")] == [
        ("condition", 1), ("void", 1),
    ]  # fmt: skip


@SQLITE
def test_a_preview_tells_what_then_happens(shop: Shop) -> None:
    for path in care.shipped():
        shop.rule(path)
    lan = shop.joins("lan", birthday="1996-02-29")
    shop.tells("A", "lan", Status.DELIVERED, BEANS, CUP)
    shop.passes(shop.clock() + timedelta(minutes=5))
    until = at(4, 1, 0)
    foretold = [
        (step.rule, step.at.astimezone(until.tzinfo), step.message.text if step.message else "")
        for name in ("welcome", "after_delivery", "refill", "win_back", "birthday")
        for step in shop.preview(name, lan, until)
        if step.goes
    ]
    shop.passes(until)
    happened = [(rule, when.astimezone(until.tzinfo), words) for when, rule, _, words in shop.sent]
    assert sorted(foretold) == sorted(happened)
    assert {rule for rule, _, _ in happened} >= {"after_delivery", "review_request", "birthday", "refill", "win_back"}


@SQLITE
def test_a_preview_tells_points_that_expire_on_one_day_once_however_often_they_were_given(shop: Shop) -> None:
    programme.load(shop.session, programme.FULL, shop.clock())
    (points_expiring,) = (path for path in care.shipped() if path.stem == "points_expiring")
    name, lan = shop.rule(points_expiring), shop.joins("lan")
    for key in ("a", "b"):
        given = Fact(key=key, now=shop.clock(), reason="quà", actor="staff:mai")
        adjustments.adjust(shop.session, lan, 50, given)
    (step,) = shop.preview(name, lan, at(12, 31, 0))
    assert step.message is not None and "100 điểm" in step.message.text
