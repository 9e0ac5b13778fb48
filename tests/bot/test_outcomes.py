"""How sends ended: what is counted against a broadcast."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from bot.accounts import Accounts
from bot.allowances import Allowances
from bot.breaker import MOST_FAILED
from bot.claims import Claimed
from bot.outcomes import Outcomes
from bot.pace import Paces
from bot.registry import Registry
from bot.secrets import Sealer
from crm import broadcast_clock, broadcasts
from crm.content import Content
from crm.messages import Purpose
from storage.claims import Due
from storage.database import Database
from tests.conftest import Clock


async def test_answers_that_came_after_the_lease_was_lost_do_not_stop_a_broadcast(
    database: Database, clock: Clock
) -> None:
    def running(session: Session) -> int:
        found = broadcasts.draft(session, "Cuối tuần", Purpose.BROADCAST, Content("Chào bạn"), "tatca", "cli", clock())
        broadcasts.tested(session, found, clock())
        broadcasts.schedule(session, found, clock(), "cli", clock())
        broadcast_clock.start(session, found, clock())
        broadcast_clock.frozen(session, found, "", clock())
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
