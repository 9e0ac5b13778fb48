"""`kill -9` at random moments of a broadcast: everybody has one end, nobody hears it twice, and nobody is missed."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from crm import broadcasts
from crm.content import Content
from crm.messages import Purpose
from simulator import speech
from simulator.people import MESSENGER, ZALO
from storage import customers
from storage.columns import new_id
from storage.consent import ConsentEntry, ConsentStanding
from tests.trials.rig import SPEED, Rig, rigged

SAID = "giảm 20%"
"""By these words a message of the trial is known in the platforms' journal."""
WORDS = 'Chào {{ khach.ten or "bạn" }}, cuối tuần này giảm 20%'
SLOTS = 20
LIFE_S = 1.2
"""About how long the product lives between two kills, with the way back."""
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a broadcast in which the sender died again and again."""

    people: int
    kills: int
    left_at_last_kill: int
    states: dict[str, int]
    most_unknown: int
    called_twice: int
    called: int
    not_sent_but_called: int

    def check(self) -> None:
        """AssertionError where an invariant is broken."""
        assert sum(self.states.values()) == self.people, self
        assert set(self.states) <= {"sent", "failed"}, self
        assert self.left_at_last_kill > 0, "the kills outlasted the broadcast"
        assert self.most_unknown <= self.kills * SLOTS, self
        assert (self.called_twice, self.not_sent_but_called) == (0, 0), self
        assert self.states["sent"] == self.called, self
        assert self.states.get("failed", 0) <= self.kills * SLOTS, self


async def killed(url: str, people: int, kills: int, seed: int) -> Sent:
    """Send a broadcast to this many people on both channels, and kill the sender this many times meanwhile."""
    chance = random.Random(seed)
    per_second = people / 2 / (kills * LIFE_S * 1.4) / SPEED
    settings = {
        "ZALO_SENDS_PER_MINUTE": str(max(1, int(per_second * 60))),
        "MESSENGER_SENDS_PER_SECOND": str(max(1, int(per_second))),
        "SEND_SLOTS": str(SLOTS), "TIMEZONE": where_it_is_nine(), "QUIET_HOURS": "none", "BROADCAST_ALONE": "0",
    }  # fmt: skip
    async with rigged(url, **settings) as rig:
        product = rig.product()
        await product.start(rig.given)
        product.kill()
        await product.died(5)
        prepare(rig, people)
        await product.start(rig.given)
        while not count(rig, "broadcast", "frozen_at IS NOT NULL"):  # noqa: ASYNC110 - another process freezes
            await asyncio.sleep(0.1)
        most_unknown = 0
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.1, 1.2))
            product.kill()
            await product.died(5)
            left = count(rig, "recipient", "state = 'pending'")
            await product.start(rig.given)
            most_unknown = max(most_unknown, count(rig, "recipient", "state = 'unknown'"))
        await over(rig)
        return told(rig, people, kills, left, most_unknown)


async def stopped(url: str, people: int, seconds: float) -> Sent:
    """Two nodes send a broadcast; one is stopped for so many seconds of the product's clock, and woken."""
    async with rigged(url, **paced(people, seconds)) as rig:
        sleeper, other = rig.product(), rig.product()
        prepare(rig, people)
        await sleeper.start(rig.given)
        await other.start(rig.given)
        while not count(rig, "recipient", "state = 'sent'"):  # noqa: ASYNC110 - other processes send
            await asyncio.sleep(0.1)
        sleeper.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds / SPEED)
        left = count(rig, "recipient", "state = 'pending'")
        sleeper.signal(signal.SIGCONT)
        await over(rig)
        return told(rig, people, 1, max(left, 1), SLOTS)


def paced(people: int, seconds: float) -> dict[str, str]:
    """The settings of a shop whose messages to so many people take at least so many seconds."""
    return {
        "ZALO_SENDS_PER_MINUTE": str(int(people / 2 / seconds * 60)), "SEND_SLOTS": str(SLOTS), "QUIET_HOURS": "none",
        "MESSENGER_SENDS_PER_SECOND": str(max(1, int(people / 2 / seconds))), "TIMEZONE": where_it_is_nine(),
        "BROADCAST_ALONE": "0",
    }  # fmt: skip


async def over(rig: Rig, patience_s: float = 120) -> None:
    """Wait until nobody waits, and nothing is in doubt any more; TimeoutError where nothing changes for long."""
    before, until = -1, time.monotonic() + patience_s
    while (left := count(rig, "recipient", "state IN ('pending', 'sending', 'unknown')")) > 0:
        if left != before:
            before, until = left, time.monotonic() + patience_s
        if time.monotonic() > until:
            why = rig.ask("SELECT state, reason, count(*) FROM recipient GROUP BY state, reason")
            stops = rig.ask("SELECT state, pause_reason, pause_words, resumes_at FROM broadcast")
            raise TimeoutError(f"{left} still have no end: {why} {stops} at {rig.platform.now()}")
        await asyncio.sleep(0.5)


def told(rig: Rig, people: int, kills: int, left: int, most_unknown: int) -> Sent:
    """What became of everybody, as the database and the platforms' journal tell."""
    calls = Counter(call.person for call in rig.platform.journal if call.message_id and SAID in call.text)
    ends = {str(row[0]): int(row[1]) for row in rig.ask("SELECT state, count(*) FROM recipient GROUP BY state")}
    reached = {str(name) for (name,) in rig.ask(
        "SELECT customer.name FROM recipient JOIN customer ON customer.id = customer_id WHERE state = 'sent'"
    )}  # fmt: skip
    return Sent(
        people=people,
        kills=kills,
        left_at_last_kill=left,
        states=ends,
        most_unknown=most_unknown,
        called_twice=sum(count - 1 for count in calls.values()),
        called=len(calls),
        not_sent_but_called=len(set(calls) - reached),
    )


def count(rig: Rig, table: str, where: str) -> int:
    """How many rows of a table are so."""
    return int(rig.ask(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])


def where_it_is_nine() -> str:
    """A time zone in which the working day has just begun."""
    ahead = (9 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def prepare(rig: Rig, people: int) -> None:
    """People of both channels who wrote a moment ago and want news, and a broadcast to all of them that is due."""
    now = rig.platform.now()
    accounts = {ZALO: rig.given["ZALO_OA_ID"], MESSENGER: rig.given["MESSENGER_PAGE_ID"]}

    def write(session: Session) -> None:
        for start in range(0, people, _AT_ONCE):
            add_people(rig, session, accounts, range(start, min(start + _AT_ONCE, people)), now)
        found = broadcasts.draft(session, "Cuối tuần", Purpose.BROADCAST, Content(WORDS), "tatca", "cli", now)
        broadcasts.tested(session, found, now)
        broadcasts.schedule(session, found, now, "cli", now)

    rig.write(write)


def add_people(rig: Rig, session: Session, accounts: dict[str, str], numbers: range, now: datetime) -> None:
    """These people wrote a moment ago, every other one on the other channel, and want news."""
    rows = [(number, (ZALO, MESSENGER)[number % 2], new_id(), new_id()) for number in numbers]
    before = now - timedelta(seconds=1)
    identities = []
    for number, channel, customer, identity in rows:
        contact = rig.platform.people.meet(channel, f"p{number}", now)
        speech.touch(rig.platform, contact)
        identities.append(
            {
                "id": identity, "customer_id": customer, "channel": channel, "account_id": accounts[channel],
                "user_id": contact.user_id, "last_interaction_at": now, "created_at": before, "profile_at": before,
            }
        )  # fmt: skip
    customers.add_many(
        session,
        [{"id": key, "name": f"p{number}", "created_at": before, "updated_at": before} for number, _, key, _ in rows],
        identities,
        [{"id": identity} for *_, identity in rows],
    )
    agree(session, [(number + 1, customer, channel) for number, channel, customer, _ in rows], before)


def agree(session: Session, people: list[tuple[int, int, str]], at: datetime) -> None:
    """These (entry, customer, channel) said yes to advertising; written at once, for there are many."""
    common = {"purpose": "marketing", "granted": True, "at": at}
    entries = [
        {**common, "id": entry, "customer_id": key, "channel": channel, "covers": channel, "wording": "yes"}
        for entry, key, channel in people
    ]
    stands = [{**common, "customer_id": key, "channel": channel, "entry_id": entry} for entry, key, channel in people]
    session.connection().execute(ConsentEntry.__table__.insert(), entries)  # type: ignore[attr-defined]
    session.connection().execute(ConsentStanding.__table__.insert(), stands)  # type: ignore[attr-defined]
