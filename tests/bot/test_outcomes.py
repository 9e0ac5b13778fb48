"""How sends ended: what is counted against a broadcast."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlmodel import Session

from bot import failures
from bot.accounts import Accounts
from bot.allowances import Allowances
from bot.breaker import MOST_FAILED
from bot.claims import LEASE, Claimed
from bot.outcomes import Outcomes
from bot.pace import Paces
from bot.registry import Registry
from bot.secrets import Sealer
from crm import broadcasts, consent, recipients
from crm.caps import Caps
from crm.content import Content
from crm.lawful import LawfulHours
from crm.messages import Purpose
from crm.verdicts import Policy, Ready
from storage import broadcasts as store
from storage.claims import Due
from storage.database import Database
from tests.conftest import Clock
from tests.crm import sending
from tests.crm.people import born
from tests.crm.test_unasked import ZONE, OpenGate, broadcast_to_all


async def test_answers_that_came_after_the_lease_was_lost_do_not_stop_a_broadcast(
    database: Database, clock: Clock
) -> None:
    def running(session: Session) -> int:
        found = broadcasts.draft(session, "Cuối tuần", Purpose.BROADCAST, Content("Chào bạn"), "tatca", "cli", clock())
        broadcasts.tested(session, found, clock())
        broadcasts.schedule(session, found, clock(), "cli", clock())
        sending.begin(session, found, clock())
        return found

    broadcast = await database.write(running)
    living = Accounts(database, {}, {}, Sealer("secret"), clock, "me")
    outcomes = Outcomes(database, {}, living, Paces({}), Registry(), Allowances(), clock)
    gone = Due(
        7, 1, "zalo", "oa1", "u1", Purpose.BROADCAST.value, False, "{}", 0, False, 1, None, None, 1, clock()
    )  # fmt: skip
    for _ in range(MOST_FAILED + 1):
        item = Claimed(gone, "window", 1, clock() + timedelta(seconds=20), 0, recipient=1, broadcast=broadcast)
        await outcomes.in_doubt(item, "the answer was lost")
    assert await database.read(lambda session: broadcasts.get(session, broadcast).state) == "running"


@pytest.mark.parametrize(("still", "state"), [(timedelta(), "paused"), (timedelta(seconds=90), "running")])
async def test_calls_that_broke_off_because_this_process_stood_still_do_not_stop_a_broadcast(
    database: Database, clock: Clock, still: timedelta, state: str
) -> None:
    def taken(session: Session) -> list[Ready]:
        for number in range(MOST_FAILED + 1):
            person = born(session, clock(), user_id=f"u{number}")
            consent.say(session, person.customer_id, granted=True, at=clock())
        broadcast_to_all(session, Purpose.BROADCAST, clock())
        policy = Policy(Caps(0, 0), LawfulHours(ZONE))
        found = recipients.take(session, OpenGate(clock()), policy, None, clock(), MOST_FAILED + 1)
        recipients.write(session, found, "me", clock() + LEASE, clock())
        return found.ready

    ready = await database.write(taken)
    outcomes = Outcomes(
        database,
        {},
        Accounts(database, {}, {}, Sealer("secret"), clock, "me"),
        Paces({}),
        Registry(),
        Allowances(),
        clock,
    )
    items = [_claimed(each, clock() + LEASE) for each in ready]
    clock.now += still
    for item in items:
        await outcomes.in_doubt(item, "no answer in time")
    (found,) = await database.read(store.latest)
    assert found.state == state


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("taken too long ago", "pace"), ("claimed too long ago to be sent", "pace"), ("the account is held", "account"),
        ("allowance of template_phone: it is used up", "quota"), ("allowance of x for marketing: no more", "quota"),
        ("template 777: it is stopped", "template"), ("-213: the person is busy", "-213"),
        ("connect: no way", "connect"),
    ],
)  # fmt: skip
async def test_who_waits_again_waits_for_a_reason_that_people_read(
    database: Database, clock: Clock, error: str, reason: str
) -> None:
    def taken(session: Session) -> list[Ready]:
        person = born(session, clock())
        consent.say(session, person.customer_id, granted=True, at=clock())
        broadcast_to_all(session, Purpose.BROADCAST, clock())
        found = recipients.take(session, OpenGate(clock()), sending.POLICY, None, clock(), 9)
        recipients.write(session, found, "me", clock() + LEASE, clock())
        return found.ready

    (ready,) = await database.write(taken)
    living = Accounts(database, {}, {}, Sealer("secret"), clock, "me")
    outcomes = Outcomes(database, {}, living, Paces({}), Registry(), Allowances(), clock)
    await outcomes.wait(_claimed(ready, clock() + LEASE), timedelta(), error, counted=False)
    report = await database.read(partial(broadcasts.report, broadcast_id=ready.recipient.broadcast_id or 0))
    assert report.reasons == {("pending", reason): 1}
    assert failures.words(reason).vi != failures.words(reason).en


def _claimed(ready: Ready, until: datetime) -> Claimed:
    """As a turn claims it."""
    place = ready.place
    due = Due(
        ready.outbox_id, place.identity_id, place.channel, place.account_id, place.user_id, Purpose.BROADCAST.value,
        False, ready.body, 0, False, 1, None, None, place.customer_id, until - LEASE,
    )  # fmt: skip
    return Claimed(
        due, "window", 1, until, 0, recipient=ready.recipient.id, broadcast=ready.recipient.broadcast_id or 0
    )
