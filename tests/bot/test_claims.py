"""Replies that are claimed by the batch that queues them: as a turn would, and never before those who wait already."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.accounts import Accounts
from bot.allowances import Allowances
from bot.channels.messenger.channel import Messenger
from bot.channels.zalo.channel import Zalo
from bot.channels.zalo.client import Urls
from bot.claims import LEASE, Claimed, Claims, Slots
from bot.context import Talk
from bot.pace import BURST, Paces
from bot.registry import Registry
from bot.secrets import Sealer
from crm import conversations, outbox
from crm.budget import Budget
from crm.caps import Caps
from crm.lawful import LawfulHours
from crm.messages import Message, Purpose
from crm.verdicts import Policy
from storage import accounts, customers
from storage import outbox as stored
from storage.database import Database
from storage.outbox import Sent
from tests.conftest import Clock
from tests.storage.rows import ACCOUNT, CHANNEL, NOW, claim, message, person, queue

SECOND = timedelta(seconds=1)
on_sqlite = pytest.mark.parametrize("session", ["sqlite"], indirect=True)


Decide = Callable[[timedelta], Claims]
FREELY = timedelta()


@pytest.fixture
async def claims(tmp_path: Path) -> AsyncIterator[Decide]:
    """What decides, by the pace of the account; it calls nobody."""
    nowhere = "http://127.0.0.1:1"
    database = Database(f"sqlite:///{tmp_path / 'unopened.db'}")
    async with aiohttp.ClientSession() as http:
        channels = {CHANNEL: Zalo(http, Urls(nowhere, nowhere, nowhere)), "messenger": Messenger(http)}
        living = Accounts(database, channels, {}, Sealer("a secret key for tests only"), Clock(), "me")
        zone = ZoneInfo("Asia/Ho_Chi_Minh")
        budget, policy = Budget(None, zone), Policy(Caps(), LawfulHours(zone))
        yield lambda pace: Claims(channels, living, Registry(), Paces({CHANNEL: pace}), budget, Allowances(), policy)
    await database.close()


def account(session: Session) -> None:
    """An account that may send."""
    accounts.add(session, CHANNEL, ACCOUNT, NOW)


def talk(session: Session, identity: int, *said: str) -> Talk:
    """A person's part in a batch, with what is to be said to them."""
    found = customers.person(session, identity)
    assert found is not None
    state = conversations.state_of(found)
    replies = outbox.compose(found, [Message(each) for each in said or ("Chào bạn",)], Purpose.REPLY, NOW)
    assert isinstance(replies, list)
    return Talk(found, state, state, outgoing=replies)


def queued(session: Session, *talks: Talk) -> list[str]:
    """Write the replies as a batch does; how the rows stand."""
    stored.add_many(session.connection(), [row for each in talks for row in each.outgoing])
    return list(session.connection().execute(text("SELECT state FROM outbox ORDER BY id")).scalars())


def at_once(session: Session, claims: Claims, free: int, talks: list[Talk]) -> list[Claimed]:
    """What of these replies is claimed before it is queued."""
    slots = Slots(free, [])
    claims.at_once(session, "me", NOW, slots, talks)
    return slots.claimed


@on_sqlite
def test_a_reply_is_queued_as_being_sent_under_a_lease(session: Session, claims: Decide) -> None:
    account(session)
    lan = talk(session, person(session), "một", "hai")
    (claimed,) = at_once(session, claims(FREELY), 10, [lan])
    assert (claimed.due.id, claimed.token, claimed.until) == (lan.outgoing[0]["id"], 1, NOW + LEASE)
    assert queued(session, lan) == ["sending", "waiting"], "one in flight"
    assert claim(session) == []
    kept = session.connection().execute(text("SELECT lease_owner, lease_token, lane FROM outbox ORDER BY id")).first()
    assert kept is not None
    assert tuple(kept) == ("me", 1, claimed.lane)


@pytest.mark.parametrize("under_way", [False, True])
@on_sqlite
def test_a_reply_waits_behind_what_the_person_is_still_to_get(
    session: Session, claims: Decide, under_way: bool
) -> None:
    account(session)
    identity = person(session)
    queue(session, message(identity))
    if under_way:
        assert len(claim(session)) == 1
    assert at_once(session, claims(FREELY), 10, [talk(session, identity)]) == []


@on_sqlite
def test_those_who_wait_keep_their_slots(session: Session, claims: Decide) -> None:
    account(session)
    queue(session, message(person(session, "1")), message(person(session, "2"), priority=9))
    talks = [talk(session, person(session, each)) for each in "345"]
    claimed = at_once(session, claims(FREELY), 2, talks)
    assert [each.due.identity_id for each in claimed] == [talks[0].person.identity_id]


@on_sqlite
def test_no_more_replies_are_claimed_than_there_are_slots(session: Session, claims: Decide) -> None:
    for channel in (CHANNEL, "messenger"):
        accounts.add(session, channel, ACCOUNT, NOW)
    people = [(each, channel) for each in "12" for channel in (CHANNEL, "messenger")]
    talks = [talk(session, person(session, each, channel=channel)) for each, channel in people]
    assert len(at_once(session, claims(FREELY), 3, talks)) == 3


@on_sqlite
def test_replies_keep_to_the_accounts_pace(session: Session, claims: Decide) -> None:
    account(session)
    talks = [talk(session, person(session, str(each))) for each in range(BURST + 5)]
    paced = claims(SECOND)
    claimed = at_once(session, paced, 100, talks)
    assert len(claimed) == BURST
    assert queued(session, *talks) == ["sending"] * BURST + ["waiting"] * 5
    assert len(paced.make(session, "me", NOW, 100)[0].claimed) == 0, "what was claimed is reserved"
    assert len(paced.make(session, "me", NOW + SECOND, 100)[0].claimed) == 1


@pytest.mark.parametrize(("waiting", "refills"), [(BURST - 1, None), (BURST + 5, SECOND * BURST / 2)])
@on_sqlite
def test_a_turn_that_uses_up_an_accounts_pace_tells_when_half_a_burst_may_follow(
    session: Session, claims: Decide, waiting: int, refills: timedelta | None
) -> None:
    account(session)
    queue(session, *(message(person(session, str(each))) for each in range(waiting)))
    turn, look = claims(SECOND).make(session, "me", NOW, 100)
    assert look is not None
    assert (len(turn.claimed), look.refills) == (min(waiting, BURST), refills)


@on_sqlite
def test_who_cannot_be_written_to_is_left_to_a_turn(session: Session, claims: Decide) -> None:
    account(session)
    lost = talk(session, person(session, last=NOW - timedelta(days=30)))
    assert at_once(session, claims(FREELY), 10, [lost]) == []
    assert queued(session, lost) == ["waiting"]


@on_sqlite
def test_nothing_goes_at_once_from_an_account_that_is_held(session: Session, claims: Decide) -> None:
    account(session)
    view = accounts.find(session, CHANNEL, ACCOUNT)
    assert view is not None
    accounts.change(session, view.id, held="on purpose")
    assert at_once(session, claims(FREELY), 10, [talk(session, person(session))]) == []


@on_sqlite
def test_what_was_sent_is_written_down_and_its_person_can_be_answered_again(session: Session, claims: Decide) -> None:
    account(session)
    identity = person(session)
    first = talk(session, identity)
    (before,) = at_once(session, claims(FREELY), 10, [first])
    assert queued(session, first) == ["sending"]
    slots = Slots(10, [Sent(before.due.id, "theirs", "", NOW)])
    again = talk(session, identity)
    claims(FREELY).at_once(session, "me", NOW, slots, [again])
    assert (slots.noted, len(slots.claimed)) == (1, 1)
    assert queued(session, again) == ["sent", "sending"]
