"""Zalo's error codes and lanes: every documented one is known, and asks for the right thing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.channels.base import SendErrorKind, Subject
from bot.channels.zalo.business_errors import BUSINESS
from bot.channels.zalo.errors import OA, OAUTH, OAUTH_STRANGE, STRANGE, UNAUTHORIZED
from bot.channels.zalo.faults import Fault
from bot.channels.zalo.rules import RULES
from crm.messages import Purpose
from crm.reach import ReachFacts, Refusal, reach

RETRY, SNOOZE, PERMANENT = SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.PERMANENT
UNREACHABLE, AUTH = SendErrorKind.UNREACHABLE, SendErrorKind.AUTH
MESSAGE, PERSON, ACCOUNT = Subject.MESSAGE, Subject.PERSON, Subject.ACCOUNT

EXPECTED = [
    (OA, RETRY, MESSAGE, {-200, -214}),
    (OA, RETRY, Subject.UPLOAD, {-100}),
    (OA, AUTH, ACCOUNT, {-216, -220}),
    (OA, SNOOZE, ACCOUNT, {-32, -202, -204, -205, -207, -208, -209, -212, -215, -219, -221, -223, -224, -235, -242}),
    (OA, SNOOZE, PERSON, {-218}),
    (OA, SNOOZE, MESSAGE, {-211, -234, -320, -321}),
    (OA, UNREACHABLE, PERSON, {-213, -217, -222, -227}),
    (OA, PERMANENT, PERSON, {-230, -231, -232, -244, -305, -311}),
    (OA, PERMANENT, MESSAGE, {-201, -210, -233, -237, -238, -240, -241, -248, -249, -403, -1340, -1341}),
    (OAUTH, AUTH, ACCOUNT, {-14020}),
    (OAUTH, SNOOZE, ACCOUNT, {-14002, -14003, -14004, -14012, -14024}),
    (BUSINESS, RETRY, MESSAGE, {-100}),
    (BUSINESS, AUTH, ACCOUNT, {-124}),
    (BUSINESS, SNOOZE, ACCOUNT, {-101, -102, -103, -104, -105, -125, -1241}),
    (BUSINESS, SNOOZE, PERSON, {-1471, -1472}),
    (
        BUSINESS,
        SNOOZE,
        MESSAGE,
        {-115, -120, -1201, -1202, -126, -133, -135, -1351, -136, -137, -138, -1381, -144, -1441, -147, -160},
    ),
    (BUSINESS, PERMANENT, PERSON, {-110, -114, -118, -119, -134, -139, -140, -141}),
    (
        BUSINESS,
        PERMANENT,
        MESSAGE,
        {-106, -107, -108, -109, -1091, -111, -112, -1121, -1122, -1123, -1124, -113, -1131, -1132, -116, -117}
        | {-121, -122, -123, -127, -128, -129, -130, -131, -132, -142, -143, -145, -146, -148, -149, -1491, -150}
        | {-151, -152, -153, -158, -159, -161, -162},
    ),
]


@pytest.mark.parametrize(("table", "kind", "subject", "codes"), EXPECTED)
def test_a_code_asks_for_what_its_class_needs(
    table: dict[int, Fault], kind: SendErrorKind, subject: Subject, codes: set[int]
) -> None:
    assert {code for code, fault in table.items() if (fault.kind, fault.subject) == (kind, subject)} == codes


@pytest.mark.parametrize("fault", [*OA.values(), *OAUTH.values(), *BUSINESS.values(), STRANGE, OAUTH_STRANGE])
def test_words_are_one_sentence_in_both_languages(fault: Fault) -> None:
    for words in (fault.words.en, fault.words.vi):
        assert words.endswith(".")
        assert words.count(": ") == 1
        assert words[0].isupper()
    assert fault.words.vi != fault.words.en


def test_what_waits_says_how_long() -> None:
    every = [*OA.values(), *OAUTH.values(), *BUSINESS.values(), UNAUTHORIZED]
    assert all((fault.retry_after is not None) == (fault.kind is SNOOZE) for fault in every)


NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "lane", "cost"),
    [
        (timedelta(minutes=1), "consultation", 0),
        (timedelta(hours=47, minutes=57), "consultation", 0),
        (timedelta(hours=48), "consultation_paid", 55),
        (timedelta(days=6, hours=23, minutes=57), "consultation_paid", 55),
    ],
)
def test_the_lane_and_its_cost_follow_the_last_interaction(ago: timedelta, lane: str, cost: int) -> None:
    found = reach(RULES, ReachFacts(Purpose.REPLY, NOW - ago, NOW))
    assert (found.allowed, found.lane, found.cost) == (True, lane, cost)


def test_after_seven_days_no_lane_is_open() -> None:
    found = reach(RULES, ReachFacts(Purpose.REPLY, NOW - timedelta(days=7), NOW))
    assert found.refusal is Refusal.WINDOW_CLOSED


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 1, 1), date(2026, 11, 22)])
def test_every_day_has_exactly_one_free_lane(day: date) -> None:
    assert [lane.name for lane in RULES.lanes if lane.in_force(day) and not lane.cost] == ["consultation"]
