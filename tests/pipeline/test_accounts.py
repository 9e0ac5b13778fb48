"""Accounts that come, go, and cannot be read: whom it concerns, and whom it does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.accounts import connect, disconnect
from bot.renewal import Held
from bot.secrets import Sealer
from crm.messages import Purpose
from simulator.config import SimulatorConfig
from simulator.people import MESSENGER, ZALO
from storage import accounts, alarms, inbox, outbox
from storage.accounts import AccountView
from storage.inbox import InboxEvent
from storage.queue import dead_ids
from tests.conftest import Clock
from tests.pipeline.stage import ANSWER, ASK, Json, Stage, playing
from tests.pipeline.test_order import text_event

OURS = "a secret key for tests only"
THEIRS = "a key that this process does not have"
FOREIGN = "4444"
NEW = "token-that-was-just-typed"


def account_id(stage: Stage, channel: str) -> str:
    """The OA or the Page of the settings."""
    config = stage.platform.config
    return config.zalo_oa_id if channel == ZALO else config.messenger_page_id


async def account(stage: Stage, channel: str) -> AccountView:
    """How that account stands."""
    key = account_id(stage, channel)
    found = await stage.read(lambda session: accounts.find(session, channel, key))
    assert found is not None
    return found


async def add(stage: Stage, channel: str, access: str, refresh: str = "", *, key: str = OURS) -> None:
    """`account add`, in a process with this secret key; the service has not noticed yet."""
    sealed = Sealer(key).seal(access), Sealer(key).seal(refresh)
    name = account_id(stage, channel)
    await stage.service.database.write(lambda session: connect(session, channel, name, sealed, stage.clock()))


async def remove(stage: Stage, channel: str) -> None:
    """`account remove`; the service has not noticed yet."""
    gone = await account(stage, channel)
    await stage.service.database.write(lambda session: disconnect(session, gone, stage.clock()))


async def hold(stage: Stage, channel: str) -> None:
    """The account's token died."""
    dead = await account(stage, channel)
    await stage.service.database.write(lambda session: accounts.change(session, dead.id, held="its token died"))


async def asks(stage: Stage, channel: str, who: str = "lan") -> None:
    """A person asks, and the answer is on its way or waits."""
    before = len(await stage.states())
    await stage.taken(stage.says(channel, who=who))
    await stage.until(lambda session: outbox_rows(session) > before)


def outbox_rows(session: Session) -> int:
    """How many messages there ever were."""
    return int(session.connection().execute(text("SELECT count(*) FROM outbox")).scalar_one())


async def replay(stage: Stage) -> None:
    """`dead replay --all`, for events."""
    buried = await stage.read(lambda session: dead_ids(session, InboxEvent, 0, 100))
    await stage.service.database.write(lambda session: inbox.replay(session, buried, stage.clock()))
    await stage.quiet()


async def rung(stage: Stage) -> list[str]:
    """The kinds of alarms that are open."""
    return [alarm.kind for alarm in await stage.read(alarms.unsolved)]


async def reasons(stage: Stage) -> list[str]:
    """Why messages were given up, oldest first."""
    return [row.error for row in reversed(await stage.read(outbox.dead))]


# --- tokens that cannot be read ---------------------------------------------------------------------------------------


async def test_a_token_that_cannot_be_read_holds_up_no_other_account(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        await add(stage, MESSENGER, NEW, key=THEIRS)
        await stage.service.accounts.reload()
        assert await rung(stage) == ["token_unreadable"]
        await asks(stage, MESSENGER)
        await asks(stage, ZALO)
        await stage.until(lambda session: bool(stage.heard()))
        await asyncio.sleep(0.5)
        assert stage.heard() == [ANSWER]
        assert await stage.states() == ["waiting", "sent"]
        assert await stage.service.database.read(_tries) == [0, 1], "what cannot go out is not even taken up"


def _tries(session: Session) -> list[int]:
    return list(session.connection().execute(text("SELECT lease_token FROM outbox ORDER BY id")).scalars())


async def test_a_service_starts_beside_a_token_that_it_cannot_read_and_sends_once_it_can(
    sqlite_url: str, clock: Clock
) -> None:
    async with playing(sqlite_url, clock) as stage:
        await add(stage, MESSENGER, NEW, key=THEIRS)
    async with playing(sqlite_url, clock) as stage:
        assert await rung(stage) == ["token_unreadable"]
        await asks(stage, MESSENGER)
    both = {"SECRET_KEY": f"{THEIRS},{OURS}", "MESSENGER_PAGE_TOKEN": SimulatorConfig().messenger_page_token}
    async with playing(sqlite_url, clock, settings=both, messenger_page_token=NEW) as stage:
        stage.contact(MESSENGER).last_interaction = stage.contact(MESSENGER).last_message = clock()
        await stage.quiet()
        assert stage.heard() == [ANSWER]
        assert await rung(stage) == []


async def test_an_unreadable_token_rings_again_where_another_one_takes_its_place(stage: Stage) -> None:
    for token in (NEW, "one-more-token"):
        await add(stage, ZALO, token, key=THEIRS)
        assert await rung(stage) == []
        await stage.service.accounts.reload()
        assert await rung(stage) == ["token_unreadable"]
    await add(stage, ZALO, NEW)
    await stage.service.accounts.reload()
    assert await rung(stage) == []


async def test_a_refresh_that_finds_an_unreadable_token_lets_the_message_wait(stage: Stage) -> None:
    stale = await stage.service.accounts.get(ZALO, account_id(stage, ZALO))
    stage.platform.zalo_tokens.expire()
    await add(stage, ZALO, NEW, key=THEIRS)
    with pytest.raises(Held):
        await stage.service.accounts.renew(stale)
    await asks(stage, ZALO)
    await asyncio.sleep(0.5)
    assert await stage.states() == ["waiting"]


async def test_a_token_that_turns_out_unreadable_on_the_way_of_a_message_lets_it_wait(stage: Stage) -> None:
    """The process still holds the former token in its memory; only the refused call makes it look."""
    await stage.service.accounts.reload()
    stage.platform.zalo_tokens.expire()
    await add(stage, ZALO, NEW, key=THEIRS)
    await asks(stage, ZALO)
    await stage.until(lambda session: bool(alarms.unsolved(session)))
    await asyncio.sleep(0.5)
    assert await stage.states() == ["waiting"]


# --- accounts that change while their token is refreshed --------------------------------------------------------------


async def refreshing(stage: Stage, fault: str = "hang", seconds: float = 0.5) -> asyncio.Task[bool]:
    """A refresh whose first call the platform leaves without an answer for so long, and then for good."""
    stale = await stage.service.accounts.get(ZALO, account_id(stage, ZALO))
    stage.platform.zalo_tokens.expire()
    stage.goes_wrong(fault, host="zalo-oauth", seconds=seconds)
    renewal = asyncio.create_task(stage.service.accounts.renew(stale))
    await stage.until(lambda session: any(view.refresh_pending_since for view in accounts.everyone(session)))
    return renewal


async def test_an_account_that_was_just_added_is_not_held_by_a_refresh_of_its_former_token(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        stage.platform.zalo_tokens.refresh = "revoked by somebody"
        renewal = await refreshing(stage)
        await add(stage, ZALO, NEW, "its-refresh-token")
        assert await renewal, "the account has a living token"
        assert (await account(stage, ZALO)).held == ""
        assert await rung(stage) == []


async def test_the_pair_that_was_just_added_is_kept_when_a_refresh_of_the_former_one_succeeds(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        renewal = await refreshing(stage, "lost_response")
        await add(stage, ZALO, NEW, "its-refresh-token")
        await renewal
        assert stage.platform.zalo_tokens.pairs_issued == 1
        found = await account(stage, ZALO)
        assert Sealer(OURS).open(found.access_token) == NEW
        assert Sealer(OURS).open(found.refresh_token) == "its-refresh-token"


@pytest.mark.parametrize("refused", [False, True])
async def test_an_account_that_was_removed_stays_removed_however_its_refresh_ends(
    database_url: str, clock: Clock, refused: bool
) -> None:
    async with playing(database_url, clock) as stage:
        if refused:
            stage.platform.zalo_tokens.refresh = "revoked by somebody"
        renewal = await refreshing(stage)
        await remove(stage, ZALO)
        await renewal
        found = await account(stage, ZALO)
        assert (found.held, found.access_token, found.refresh_token) == (accounts.REMOVED, "", "")
        assert await rung(stage) == []


async def test_an_added_account_can_be_refreshed_at_once(stage: Stage) -> None:
    """The lease of the refresh that its new tokens made pointless is not waited for."""
    renewal = await refreshing(stage, seconds=3)
    tokens = stage.platform.zalo_tokens
    await add(stage, ZALO, NEW, tokens.refresh)
    await stage.service.accounts.reload()
    fresh = await stage.service.accounts.get(ZALO, account_id(stage, ZALO))
    assert await stage.service.accounts.renew(fresh)
    assert not renewal.done()
    await renewal
    assert Sealer(OURS).open((await account(stage, ZALO)).access_token) == tokens.access


# --- the platform takes its right back --------------------------------------------------------------------------------


def revoked(stage: Stage, minutes: float) -> Json:
    """The OA's admin took the app's right away, so many minutes from now."""
    at = stage.clock() + timedelta(minutes=minutes)
    return {
        "event_name": "permission_revoked", "app_id": stage.platform.config.zalo_app_id,
        "oa_id": stage.platform.config.zalo_oa_id, "timestamp": str(int(at.timestamp() * 1000)),
    }  # fmt: skip


async def test_a_lost_grant_holds_the_account_and_rings(stage: Stage) -> None:
    stage.clock.pass_by(hours=1)
    assert await stage.webhook(ZALO, revoked(stage, 0)) == 200
    await stage.quiet()
    assert (await account(stage, ZALO)).held == "permission_revoked"
    assert await rung(stage) == ["grant_lost"]


async def test_a_grant_that_was_lost_before_the_account_was_connected_again_does_not_hold_it(stage: Stage) -> None:
    late = revoked(stage, 30)
    stage.clock.pass_by(hours=1)
    await add(stage, ZALO, NEW)
    assert await stage.webhook(ZALO, late) == 200
    await stage.quiet()
    assert (await account(stage, ZALO)).held == ""
    assert await rung(stage) == []


async def test_a_removed_account_stays_removed_whatever_its_platform_takes_away(stage: Stage) -> None:
    stage.clock.pass_by(hours=1)
    await remove(stage, ZALO)
    assert await stage.webhook(ZALO, revoked(stage, 0)) == 200
    await stage.quiet()
    assert (await account(stage, ZALO)).held == accounts.REMOVED
    assert await rung(stage) == []


# --- accounts that are gone -------------------------------------------------------------------------------------------


async def test_an_event_of_an_account_that_nobody_added_is_buried_again_when_it_is_replayed(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        event = text_event(stage, ZALO, ASK, 1) | {"recipient": {"id": FOREIGN}}
        assert await stage.webhook(ZALO, event) == 200
        await stage.quiet()
        for _ in range(2):
            await replay(stage)
            assert await stage.dead() == [f"zalo {FOREIGN} is not connected here"]
        assert await stage.count("customer") == 0
        assert await stage.states() == []


async def test_it_is_answered_when_it_is_replayed_after_the_account_was_added(stage: Stage) -> None:
    event = text_event(stage, ZALO, ASK, 1) | {"recipient": {"id": FOREIGN}}
    assert await stage.webhook(ZALO, event) == 200
    sealed = Sealer(OURS).seal(stage.platform.zalo_tokens.access), ""
    await stage.service.database.write(lambda session: connect(session, ZALO, FOREIGN, sealed, stage.clock()))
    await stage.service.accounts.reload()
    await replay(stage)
    assert await stage.dead() == []
    assert stage.heard() == [ANSWER]


async def test_an_event_of_a_removed_account_is_buried_and_handled_once_it_is_back(stage: Stage, channel: str) -> None:
    token = Sealer(OURS).open((await account(stage, channel)).access_token)
    await remove(stage, channel)
    await stage.service.accounts.reload()
    await stage.taken(stage.says(channel))
    await stage.quiet()
    assert await stage.dead() == [f"{channel} {account_id(stage, channel)} is not connected here"]
    assert await stage.count("customer") == 0
    await add(stage, channel, token)
    await stage.service.accounts.reload()
    await replay(stage)
    assert stage.heard() == [ANSWER]


async def test_a_profile_is_not_asked_for_once_its_account_is_removed(stage: Stage, channel: str) -> None:
    await hold(stage, channel)
    await stage.service.accounts.reload()
    await stage.taken(stage.says(channel))
    await stage.until(lambda session: outbox_rows(session) > 0)
    await remove(stage, channel)
    await stage.service.accounts.reload()
    stage.clock.pass_by(minutes=11)
    await stage.until(lambda session: session.connection().exec_driver_sql("SELECT count(*) FROM job").scalar() == 0)
    assert (await stage.person(channel)).profile_at is None


async def test_what_waits_for_a_removed_account_is_given_up_and_its_alarms_end(database_url: str, clock: Clock) -> None:
    async with playing(database_url, clock) as stage:
        stage.platform.zalo_tokens.expire()
        stage.platform.zalo_tokens.refresh = "revoked by somebody"
        await asks(stage, ZALO)
        moving = text("SELECT 1 FROM outbox WHERE state <> 'waiting'")
        await stage.until(lambda session: bool(alarms.unsolved(session)))
        await stage.until(lambda session: session.connection().execute(moving).first() is None)
        await stage.tick("outbox.expire")
        assert await stage.states() == ["waiting"]
        await remove(stage, ZALO)
        assert await rung(stage) == []
        await asks(stage, MESSENGER)
        await stage.tick("outbox.expire")
        await stage.quiet()
        assert await stage.states() == ["dead", "sent"]
        assert await reasons(stage) == ["account_removed"]


async def test_what_waits_for_an_account_that_is_not_there_at_all_is_given_up(stage: Stage) -> None:
    await stage.said(ZALO)
    await hold(stage, ZALO)
    await stage.send(ZALO, "Đơn 7 đã giao", Purpose.TRANSACTION)
    await stage.service.database.write(
        lambda session: session.connection().exec_driver_sql(
            f"UPDATE outbox SET account_id = '{FOREIGN}' WHERE state = 'waiting'"
        ).rowcount
    )  # fmt: skip
    await stage.tick("outbox.expire")
    assert await reasons(stage) == ["account_removed"]


async def test_a_message_whose_window_closed_while_its_account_was_held_is_given_up(
    database_url: str, clock: Clock
) -> None:
    async with playing(database_url, clock) as stage:
        await stage.said(MESSENGER)
        await hold(stage, MESSENGER)
        await asks(stage, MESSENGER)
        stage.clock.pass_by(hours=23)
        await asks(stage, MESSENGER, "minh")
        await stage.tick("outbox.expire")
        assert await stage.states() == ["sent", "waiting", "waiting"]
        stage.clock.pass_by(hours=1)
        await stage.tick("outbox.expire")
        assert await stage.states() == ["sent", "dead", "waiting"]
        assert await reasons(stage) == ["window_closed"]


async def test_what_is_not_due_yet_is_judged_only_when_it_is(stage: Stage) -> None:
    await stage.said(MESSENGER)
    await hold(stage, MESSENGER)
    await asks(stage, MESSENGER)
    tomorrow = stage.clock() + timedelta(days=3)
    await stage.service.database.write(
        lambda session: outbox.move(session, _waiting(session), "waiting", ready_at=tomorrow)
    )
    stage.clock.pass_by(days=2)
    await stage.tick("outbox.expire")
    assert await stage.states() == ["sent", "waiting"]
    stage.clock.pass_by(days=1)
    await stage.tick("outbox.expire")
    assert await stage.states() == ["sent", "dead"]


def _waiting(session: Session) -> int:
    return int(session.connection().execute(text("SELECT id FROM outbox WHERE state = 'waiting'")).scalar_one())


async def test_the_rest_of_a_long_queue_is_looked_at_too(stage: Stage) -> None:
    """Thousands of messages wait for a removed account, among others that only wait for their time."""
    await stage.said(ZALO)
    await stage.said(MESSENGER)
    await hold(stage, ZALO)
    await hold(stage, MESSENGER)
    for number in range(3):
        for channel in (ZALO, MESSENGER):
            await stage.send(channel, f"Đơn {number} đã giao", Purpose.TRANSACTION)
    await stage.service.database.write(_many_more)
    before = await stage.states()
    await remove(stage, ZALO)
    await stage.tick("outbox.expire")
    after = await stage.states()
    assert before.count("waiting") == 6 * 512
    assert (after.count("dead"), after.count("waiting")) == (3 * 512, 3 * 512)
    assert set(await stage.read(lambda session: [row.channel for row in outbox.dead(session, 10_000)])) == {ZALO}


def _many_more(session: Session) -> None:
    """Every waiting message 512 times."""
    table = outbox.OutboxMessage.__table__  # type: ignore[attr-defined]
    rows = session.connection().execute(text("SELECT * FROM outbox WHERE state = 'waiting'")).mappings().all()
    names = ", ".join(each.name for each in table.c)
    given = ", ".join(f":{each.name}" for each in table.c)
    for copy in range(1, 512):
        session.connection().execute(
            text(f"INSERT INTO outbox ({names}) VALUES ({given})"), [{**row, "id": row["id"] + copy} for row in rows]
        )
