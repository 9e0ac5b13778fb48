"""What time brings to points is done in ranges, by whoever comes first, and goes on where it was cut short."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from bot import points
from crm import customers, due, ledger, loyalty, membership, orders, reservations
from crm.ledger import FOREVER, Fact, Terms
from crm.orders import News, Status
from storage import ledger_check, lots, members
from storage.columns import NEVER
from storage.database import Database
from tests.conftest import Clock
from tests.crm import programme

PEOPLE = 7


@pytest.fixture
async def shop(database: Database, clock: Clock) -> list[int]:
    """Customers with points that wait a day and expire after two, and a tier that ends with the year."""
    start = clock()

    def fill(session: Session) -> list[int]:
        programme.load(session, programme.FULL, start)
        ids = [customers.known(session, f"C{number}", start) for number in range(PEOPLE)]
        for number, customer in enumerate(ids):
            terms = Terms(start + timedelta(days=1), start + timedelta(days=2))
            ledger.earn(session, customer, 10, Fact(key=f"gift {number}", now=start), terms=terms)
            news = News("pos", f"A{number}", f"C{number}", Status.DELIVERED, 2_000_000, 1, start, start)
            orders.put(session, news, start)
        return ids

    return await database.write(fill)


async def tiers_of(database: Database, people: list[int]) -> set[str]:
    """The tiers that these customers are in."""
    return {member.tier for member in await database.read(lambda session: members.some(session, people))}


async def test_a_turn_releases_expires_ends_and_reviews(database: Database, clock: Clock, shop: list[int]) -> None:
    await points.turn(database, clock.pass_by(days=1))
    held = await database.read(lambda session: ledger.holding(session, shop[0]))
    assert (held.spendable, held.pending) == (10, 220)
    until = clock() + timedelta(hours=1)
    fact = Fact(key="till", now=clock())
    await database.write(lambda session: reservations.reserve(session, shop[0], 4, fact, until).id)
    await points.turn(database, clock.pass_by(days=1))
    held = await database.read(lambda session: ledger.holding(session, shop[0]))
    assert (held.spendable, held.pending, held.held) == (0, 220, 0)
    assert await tiers_of(database, shop) == {"silver"}
    clock.pass_by(days=800)
    for _ in range(3):
        await points.turn(database, clock())
    assert await tiers_of(database, shop) == {"member"}
    assert await database.read(ledger_check.faults) == []


async def test_a_turn_that_is_cut_short_goes_on(database: Database, clock: Clock, shop: list[int]) -> None:
    now = clock.pass_by(days=2)
    cursor = await database.write(lambda session: due.expire(session, (NEVER, 0), 3, now))
    assert cursor is not None
    for _ in range(2):
        await points.turn(database, now)
    held = await database.read(lambda session: [ledger.holding(session, each).balance for each in shop])
    assert held == [220] * PEOPLE
    entries = await database.read(lambda session: [entry.kind for entry in loyalty.history(session, shop[0])])
    assert entries.count("expire") == 1
    assert await database.read(ledger_check.faults) == []


async def test_a_new_programme_places_everybody(database: Database, clock: Clock, shop: list[int]) -> None:
    clock.pass_by(days=1)
    text = programme.FULL.replace("at = 5000000", "at = 1900000").replace("at = 2000000", "at = 1000000")
    await database.write(lambda session: programme.load(session, text, clock()))
    await points.place(database, clock())
    assert await tiers_of(database, shop) == {"gold"}
    assert await database.read(lambda session: membership.history(session, shop[0], 1)[0].before) == "silver"


async def test_nothing_is_due_of_what_lives_for_ever(database: Database, clock: Clock, shop: list[int]) -> None:
    far = clock() + timedelta(days=365 * 50)
    fact = Fact(key="for good", now=clock())
    await database.write(lambda session: ledger.earn(session, shop[0], 5, fact).points)
    await points.turn(database, far)
    (lot,) = await database.read(lambda session: lots.open_lots(session, shop[0], "spend"))
    assert (lot.remaining, lot.expires_at) == (5, FOREVER)
