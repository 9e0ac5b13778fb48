"""Scores by fifths, against an example worked out by hand: equals together, and who never bought has none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from bot.rfm import Scoring
from crm import customers, orders, rfm, segments
from crm.errors import CrmError
from crm.orders import News, Status
from crm.rfm import Measure
from storage import fifths
from storage.database import Database
from tests.conftest import Clock
from tests.crm.shops import AT, NOW, ZONE

TIMES = {8: 2, 9: 3, 10: 5}
"""The others bought once."""
PRICES = {number: 100_000 * (11 - number) for number in range(1, 11)}
"""On paper. The tenth customer bought 10 days ago, the first 100; all orders of one cost the same.

    r  C1 C2 | C3 C4 | C5 C6 | C7 C8 | C9 C10
    f  1 1 | 1 1 | 1 1 | 1 2 | 3 5                                 so who bought once exceeds nobody
    m  400 500 | 500 600 | 600 600 | 700 800 | 900 1000 (thousand)  so 500 is not above the first fifth
"""
SCORES = {
    Measure.RECENCY: {1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4, 9: 5, 10: 5},
    Measure.FREQUENCY: {**dict.fromkeys(range(1, 8), 1), 8: 4, 9: 5, 10: 5},
    Measure.MONEY: {1: 5, 2: 5, 3: 4, 4: 4, 5: 2, 6: 1, 7: 1, 8: 2, 9: 2, 10: 1},
}


def buys(session: Session, number: int, order: str, days_ago: int, status: Status = Status.DELIVERED) -> None:
    """An order of a customer, at their price."""
    at = NOW - timedelta(days=days_ago)
    news = News("pos", order, f"C{number}", status, PRICES.get(number, 1), 1, at, at, (), order)
    orders.put(session, news, NOW)


@pytest.fixture
def shop(session: Session) -> Session:
    """Ten who bought, one who never did, and one who sent all back."""
    for number in range(1, 13):
        customers.put_customer(session, f"C{number}", now=NOW - timedelta(days=200), name=f"C{number}")
    for number in range(1, 11):
        for time in range(TIMES.get(number, 1)):
            buys(session, number, f"{number}-{time}", 110 - 10 * number + time)
    buys(session, 12, "12-0", 5, Status.RETURNED)
    return session


def scored(session: Session) -> None:
    """The fifths are worked out."""
    fifths.keep(session, rfm.day_of(NOW, ZONE), rfm.due(session, NOW, ZONE))


def found(session: Session, text: str) -> set[int]:
    """The numbers of those who are in a segment, by any way of asking."""
    segment = segments.parse(text)
    ids = segments.everyone(session, segment, AT)
    assert len(ids) == segments.count(session, segment, AT)
    known = {customers.find(session, f"C{number}").id: number for number in range(1, 13)}
    assert segments.among(session, segment, AT, known) == set(ids) & set(known)
    return {known[each] for each in ids if each in known}


@pytest.mark.parametrize("measure", Measure)
def test_scores_are_those_that_were_worked_out_on_paper(shop: Session, measure: Measure) -> None:
    scored(shop)
    expected = SCORES[measure]
    for score in range(1, 6):
        for op, holds in (
            ("=", int.__eq__),
            (">=", int.__ge__),
            ("<=", int.__le__),
            (">", int.__gt__),
            ("<", int.__lt__),
        ):
            assert found(shop, f"{measure}{op}{score}") == {
                number for number, own in expected.items() if holds(own, score)
            }, f"{measure}{op}{score}"
    for number, own in expected.items():
        told = segments.explain(shop, segments.parse(f"{measure}>=1"), customers.find(shop, f"C{number}").id, AT)
        assert (told.is_member, told.reasons[0].value) == (True, str(own))
    nobody = segments.explain(shop, segments.parse(f"khong({measure}>=1)"), customers.find(shop, "C12").id, AT)
    assert (nobody.is_member, nobody.reasons[0].value) == (True, "—")


def test_who_buys_today_has_a_better_score_at_once(shop: Session) -> None:
    scored(shop)
    assert 1 not in found(shop, "r>=2")
    buys(shop, 1, "1-9", 0)
    assert 1 in found(shop, "r=5")


def test_few_customers_are_divided_as_far_as_they_go(session: Session) -> None:
    for number in (1, 2):
        customers.put_customer(session, f"C{number}", now=NOW, name="")
        buys(session, number, f"{number}", number)
    scored(session)
    for number in range(3, 13):
        customers.put_customer(session, f"C{number}", now=NOW, name="")
    assert found(session, "m=1") == {2}
    assert found(session, "m>=2") == {1}


@pytest.mark.parametrize(("text", "words"), [("r>=6", "from 1 to 5"), ("f=0", "from 1 to 5"), ("m>=4", "tomorrow")])
def test_what_cannot_be_scored_is_refused_in_words(shop: Session, text: str, words: str) -> None:
    with pytest.raises(CrmError, match=words):
        segments.count(shop, segments.parse(text), AT)


async def test_a_day_is_worked_out_once_and_the_newest_counts(database: Database, clock: Clock) -> None:
    clock.now = NOW
    scoring = Scoring(database, ZONE, clock)
    await scoring.score({})
    assert await database.read(lambda session: fifths.latest(session, "2999-01-01")) == ("", [])

    def first(session: Session) -> None:
        customers.put_customer(session, "C1", now=NOW, name="")
        buys(session, 1, "1", 3)

    await database.write(first)
    await scoring.score({})
    day, before = await database.read(lambda session: fifths.latest(session, "2999-01-01"))
    assert day == rfm.day_of(NOW, ZONE)
    await database.write(lambda session: buys(session, 1, "2", 2))
    await scoring.score({})
    assert await database.read(lambda session: fifths.latest(session, "2999-01-01")) == (day, before)
    clock.pass_by(days=1)
    await scoring.score({})
    later, after = await database.read(lambda session: fifths.latest(session, "2999-01-01"))
    assert later > day and after[0].orders == 2
    assert await database.read(lambda session: fifths.latest(session, day)) == (day, before)
