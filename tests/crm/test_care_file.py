"""The file of a care rule: what fits is read as it says, what does not is named by its place; nothing raises."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from crm import care, care_file, saved_segments
from crm.care_rules import Cycle, Goal, Late, Moment, Rhythm
from crm.errors import Conflict, Invalid, NotFound
from crm.segments import AsOf
from storage.care import OFF, ON, PAUSED
from tests.conftest import Clock

RULE = """
name = "thanks"
vi = "Cảm ơn"
en = "Thanks"
moment = "order_delivered"
days = 2
at = "09:30"
late = "reschedule"

[text]
vi = "Cảm ơn {{ khach.ten or \\"bạn\\" }} đã mua đơn {{ don.ma }}."
en = "Thank you for your order {{ don.ma }}."

[[button]]
vi = "Hỗ trợ"
en = "Support"
value = "kq:support"
"""


def places(text: str, *, warnings: bool = False) -> list[str]:
    """Where a file is at fault, or where it is warned of."""
    return [problem.place for problem in care_file.read(text).problems if problem.is_warning is warnings]


def test_what_comes_with_the_product_fits_without_a_warning() -> None:
    for path in care.shipped():
        assert care_file.read(path.read_text("utf-8")).problems == (), path.name


def test_a_rule_is_read_as_its_file_says() -> None:
    rule = care_file.read(RULE).rule
    assert (rule.name, rule.moment, rule.days, rule.at) == ("thanks", Moment.ORDER_DELIVERED, 2, time(9, 30))
    assert (rule.late, rule.goal, rule.minutes, rule.buttons[0].title.en) == (
        Late.RESCHEDULE,
        Goal.NONE,
        None,
        "Support",
    )
    win_back = care_file.read((care.SHIPPED / "win_back.toml").read_text("utf-8")).rule
    assert win_back.rhythm == Rhythm(150, 3, 14, 120)
    refill = care_file.read((care.SHIPPED / "refill.toml").read_text("utf-8")).rule
    assert refill.cycles == (Cycle("beans", 30, frozenset({"cà phê hạt rang mộc 500 g"})),)


def test_a_time_of_day_may_be_written_either_way() -> None:
    for written in ('"9:30"', '"09:30"', "09:30:00"):
        assert care_file.read(RULE.replace('"09:30"', written)).rule.at == time(9, 30)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (('"thanks"', '"Cảm ơn"'), "name"),
        (('"order_delivered"', '"order_lost"'), "moment"),
        (("days = 2", "days = -2"), "days"),
        (("days = 2", "days = 2.5"), "days"),
        (('"09:30"', '"06:59"'), "at"),
        (('"09:30"', '"22:30"'), "at"),
        (('"09:30"', '"half past nine"'), "at"),
        (("days = 2", "days = 2\nminutes = 5"), "minutes"),
        (('"reschedule"', '"never"'), "late"),
        (("days = 2", "days = 2\nlate_days = 31"), "late_days"),
        (("days = 2", 'days = 2\nafter = "other"'), "after"),
        (('moment = "order_delivered"', 'moment = "sent"'), "after"),
        (('moment = "order_delivered"', 'after = "thanks"'), "after"),
        (("days = 2", 'days = 2\nleap_day = "mar_1"'), "leap_day"),
        (("days = 2", 'days = 2\ntiers = ["gold"]'), "tiers"),
        (("days = 2", 'days = 2\ngoal = "bought_again"'), "goal"),
        (('moment = "order_delivered"', 'moment = "joined"\n[rhythm]'), "rhythm"),
        (("[text]", "[rhythm]\n[text]"), "goal"),
        (("[text]", "[rhythm]\nleast_days = 9\nmost_days = 8\n[text]"), "rhythm.most_days"),
        (("[text]", "[[cycle]]\nid = 'a'\ndays = 3\n[text]"), "cycle.0"),
        (("{{ don.ma }}.", "{{ don.gia }}."), "text.vi"),
        (("{{ don.ma }}.", "[số ngày?]"), "text.vi"),
        (("{{ don.ma }}.", "{{ don.ma"), "text.vi"),
        ((' or \\"bạn\\"', ""), "text.vi"),
        (('"kq:support"', '"http://shop.vn"'), "button.0.value"),
        (('"Support"', '"A title that is too long"'), "button.0.en"),
        (("[text]", "[template.zalo]\nid = '7'\nvalues = { code = '{{ ma }}' }\n[text]"), "template.zalo.values.code"),
        (("[text]", "[template.zalo]\n[text]"), "template.zalo.id"),
        (("[text]", "[texts]"), "texts"),
        (("days = 2", "days = 2\ndayz = 3"), "dayz"),
        (("days = 2", "days = "), ""),
    ],
)
def test_what_is_wrong_is_named_by_its_place(change: tuple[str, str], place: str) -> None:
    assert change[0] in RULE
    assert place in places(RULE.replace(*change, 1))


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = places(RULE.replace("days = 2", "days = -2").replace('"09:30"', '"23:00"').replace("kq:support", "x"))
    assert {"days", "at", "button.0.value"} <= set(found)


def test_a_moment_that_cannot_be_read_is_not_blamed_on_what_depends_on_it() -> None:
    assert places(RULE.replace('"order_delivered"', '"order_deliverd"')) == ["moment"]
    assert places(RULE.replace('"order_delivered"', '"order_deliverd"').replace('"09:30"', '"23:00"')) == [
        "moment",
        "at",
    ]


def test_a_text_in_one_language_is_warned_of() -> None:
    assert places(RULE.replace('en = "Thank you for your order {{ don.ma }}."', ""), warnings=True) == ["text.en"]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200), st.integers(0, 400))
def test_no_file_makes_the_reader_raise(noise: str, at: int) -> None:
    care_file.read(noise)
    care_file.read(RULE[:at] + noise + RULE[at:])


def test_a_changed_text_is_a_new_version_and_the_same_text_is_none(session: Session, clock: Clock) -> None:
    first, _ = care.load(session, RULE, "cli", clock())
    same, _ = care.load(session, RULE, "cli", clock.pass_by(days=1))
    second, _ = care.load(session, RULE.replace("days = 2", "days = 3"), "cli", clock())
    assert (first.version, same, second.version) == (1, first, 2)
    assert care.named(session, "thanks").rule.days == 3
    assert care.parsed(first).days == 2


def test_a_file_that_does_not_fit_is_not_loaded(session: Session, clock: Clock) -> None:
    with pytest.raises(Invalid, match=r"at: .*07:00 to 21:59"):
        care.load(session, RULE.replace('"09:30"', '"23:00"'), "cli", clock())
    assert care.everything(session) == []


def test_a_condition_that_names_what_is_not_there_is_warned_of(session: Session, clock: Clock) -> None:
    rule = RULE.replace("days = 2", 'days = 2\ncondition = "nhom:vip_moi"')
    at = AsOf(clock())
    version, draft = care.load(session, rule, "cli", clock(), at)
    assert [(each.place, each.is_warning) for each in draft.problems] == [("condition", True)]
    assert "vip_moi" in draft.problems[0].words and ". Nothing goes out" in draft.problems[0].words
    assert version.version == 1
    saved_segments.save(session, "vip_moi", "vip", at, "cli")
    assert care.check(session, rule, at).problems == ()


def test_a_journey_begins_with_a_rule_that_is_here_and_ends(session: Session, clock: Clock) -> None:
    follows = RULE.replace('moment = "order_delivered"', 'after = "first"').replace("{{ don.ma }}", "")
    with pytest.raises(Invalid, match="load it first"):
        care.load(session, follows, "cli", clock())
    care.load(session, RULE.replace('"thanks"', '"first"'), "cli", clock())
    care.load(session, follows, "cli", clock())
    circle = follows.replace('"thanks"', '"third"').replace('"first"', '"thanks"')
    care.load(session, circle, "cli", clock())
    with pytest.raises(Invalid, match="never end"):
        care.load(session, circle.replace('"third"', '"first"').replace('"thanks"', '"third"'), "cli", clock())


def test_a_rule_is_turned_on_paused_and_ended(session: Session, clock: Clock) -> None:
    care.load(session, RULE, "cli", clock())
    with pytest.raises(Conflict):
        care.pause(session, "thanks", "cli", clock())
    assert care.named(session, "thanks").state == OFF
    began = care.turn_on(session, "thanks", "cli", clock())
    assert care.pause(session, "thanks", "cli", clock.pass_by(hours=1)).state == PAUSED
    again = care.turn_on(session, "thanks", "cli", clock.pass_by(hours=1))
    assert (again.state, again.since, again.seen_at) == (ON, began.since, began.seen_at)
    assert care.turn_off(session, "thanks", "cli", clock()).state == OFF
    assert care.turn_on(session, "thanks", "cli", clock.pass_by(days=1)).since == clock()
    with pytest.raises(NotFound):
        care.turn_on(session, "nothing", "cli", clock())


def test_a_version_that_waits_for_another_moment_begins_anew(session: Session, clock: Clock) -> None:
    care.load(session, RULE, "cli", clock())
    care.turn_on(session, "thanks", "cli", clock())
    care.load(session, RULE.replace("order_delivered", "order_placed"), "cli", clock.pass_by(hours=1))
    assert care.turn_on(session, "thanks", "cli", clock()).since == clock()


def test_the_shipped_rules_are_kept_and_none_is_on(session: Session, clock: Clock) -> None:
    names = {version.name for version in care.ship(session, "demo", clock())}
    assert names == {path.stem for path in care.shipped()}
    assert {known.state for known in care.everything(session)} == {OFF}
