"""The jobs that keep the house in order: lost leases, unknown sends, tokens, accounts, who waits, old bodies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection
from sqlmodel import Session

from bot import accounts, allowances, broadcasts, care, expiry, holds, labels, points, registry, renewal, rfm, settling
from bot.accounts import Accounts
from bot.batch import PROFILE_JOB
from bot.calling import HELD_PAUSE, Removed, account_for
from bot.channels.base import Channel, Profile, SendError, SendErrorKind
from bot.checkup import Checkups
from bot.drawing.shelf import LIVES
from bot.jobs import Later, Payload, Work
from bot.renewal import Held
from bot.staff import desk, receipts
from bot.together import all_ended
from crm import attendance, conversations, referrals
from crm.budget import Budget
from crm.calendar import Calendar
from crm.comments import KEPT
from crm.events import Address
from crm.messages import Message
from storage import accounts as account_rows
from storage import alarms, comments, customers, doubt, drawings, inbox, jobs, search, transcripts
from storage import conversations as conversation_rows
from storage.database import Database
from storage.doubt import Unsettled
from storage.work import Priority

log = logging.getLogger(__name__)

WAITING_ALARM = "customer_waits"
PLACE = "points.place"
WATCHED = 100
"""How many conversations the watch begins with in one transaction."""
LOOKS = 8
"""How many sends of unknown outcome one sweep looks for, at once, within its lease; the next looks for more."""
EVERY: Mapping[str, timedelta] = {
    "outbox.sweep": timedelta(seconds=5),
    "outbox.expire": timedelta(minutes=5),
    "conversations.watch": timedelta(minutes=1),
    "ratings.ask": timedelta(minutes=1),
    receipts.JOB: timedelta(seconds=30),
    desk.JOB: timedelta(seconds=5),
    "webhooks.watch": timedelta(minutes=20),
    "events.watch": timedelta(hours=1),
    "catchup.watch": timedelta(minutes=5),
    "tokens.refresh": timedelta(minutes=10),
    "accounts.check": timedelta(minutes=10),
    "bodies.purge": timedelta(hours=6),
    registry.SYNC: timedelta(hours=6),
    "points.turn": timedelta(minutes=1),
    broadcasts.TEND: timedelta(seconds=5),
    care.JOB: timedelta(minutes=1),
    "points.birthdays": timedelta(hours=3),
    rfm.JOB: timedelta(hours=1),
}
"""What the scheduler enqueues, and how often; the unique key of a job makes many schedulers one."""
FIRST: Mapping[str, timedelta] = {registry.SYNC: timedelta(minutes=1), rfm.JOB: timedelta(minutes=1)}
"""What is done for the first time so soon after the start, instead of a whole turn later."""


class Upkeep:
    """The kinds of jobs, by name."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        living: Accounts,
        clock: Callable[[], datetime],
        body_days: int,
        budget: Budget,
        calendar: Calendar,
    ) -> None:
        self._database, self._channels, self._accounts = database, channels, living
        self._clock, self._body_days, self._budget, self._calendar = clock, body_days, budget, calendar
        self._checkups = Checkups(database, channels, living, clock)
        self._profiles = database.lane("profile.keep", _keep_profiles)

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {
            PROFILE_JOB: self.fetch_profile,
            "outbox.sweep": self.sweep,
            "outbox.expire": self.expire,
            "conversations.watch": self.watch,
            "tokens.refresh": self.refresh_tokens,
            renewal.JOB: self.renew_token,
            "accounts.check": self.check_accounts,
            "bodies.purge": self.purge_bodies,
            registry.SYNC: self.sync_templates,
            "points.turn": self.turn_points,
            "points.birthdays": self.give_birthdays,
            PLACE: self.place_members,
            referrals.JOB: self.settle_referral,
        }

    async def fetch_profile(self, payload: Payload) -> None:
        """Ask the platform for a new person's name and picture; one that it hides for good stays without."""
        channel = payload["channel"]
        try:
            async with account_for(self._accounts, channel, payload["account_id"]) as account:
                profile = await self._channels[channel].profile(account, payload["user_id"])
        except Removed:
            return
        except SendError as error:
            if error.kind not in (SendErrorKind.PERMANENT, SendErrorKind.UNREACHABLE):
                raise
            profile = Profile()
        await self._profiles.put([(int(payload["identity"]), profile, self._clock())])
        if profile.labels:
            address = Address(channel, payload["account_id"], payload["user_id"])
            keep = partial(labels.shown, address=address, names=profile.labels, now=self._clock())
            await self._database.write(keep, name="labels.shown")

    async def sweep(self, payload: Payload) -> None:
        """Free what lost senders held, and settle the sends whose outcome is unknown."""
        now = self._clock()
        await self._database.write(lambda session: settling.sweep(session, now), name="outbox.sweep")
        doubtful = await self._database.read(lambda session: doubt.unsettled(session, now, LOOKS))
        await all_ended(self._settle(item) for item in doubtful)
        if len(doubtful) == LOOKS:
            raise Later(timedelta())

    async def expire(self, payload: Payload) -> None:
        """Give up what waits for an account that does not send and can never go out any more; lift holds that ended."""
        lift = partial(_lift, budget=self._budget, now=self._clock())
        await self._database.write(lift, name="outbox.lift")
        await expiry.expire(self._database, self._channels, self._accounts, self._clock)

    async def _settle(self, item: Unsettled) -> None:
        found = await self._look_for(item)
        decide = partial(settling.settle, item=item, found=found, now=self._clock())
        how = await self._database.write(decide, name="outbox.settle")
        log.info("a send of unknown outcome was settled", extra={"outbox_id": item.id, "how": how})

    async def _look_for(self, item: Unsettled) -> str | None:
        """The platform's id of the message, "" where it is not there, None where that cannot be told."""
        message = Message.loads(item.body)
        text = message.text
        if not text or message.template:
            return None
        try:
            account = await self._accounts.get(item.channel, item.account_id)
            found = await self._channels[item.channel].find_sent(account, item.user_id, text, item.created_at)
        except (Held, SendError) as error:
            log.info("a send could not be looked for", extra={"outbox_id": item.id, "why": type(error).__name__})
            return None
        if found is None:
            return ""
        ours = partial(transcripts.is_ours, conversation_id=item.identity_id, message_id=found)
        return None if await self._database.read(ours) else found

    async def watch(self, payload: Payload) -> None:
        """Ring for customers who wait for a person too long; hand back what staff left."""
        now = self._clock()
        changed = await self._database.read(partial(_changed, now=now, calendar=self._calendar))

        def step(session: Session, cursor: int, size: int) -> int | None:
            _visit(session, changed[cursor : cursor + size], now, self._calendar)
            return cursor + size if cursor + size < len(changed) else None

        if changed:
            await self._database.bulk(step, 0, size=WATCHED)

    async def refresh_tokens(self, payload: Payload) -> None:
        """Replace tokens before they grow old, each by itself; none that is refused is forgotten."""
        now = self._clock()
        views = await self._database.read(account_rows.everyone)
        for view in views:
            if view.refresh_pending_since is not None and not view.held:
                await self._database.write(partial(renewal.queue, view=view, now=now), name="tokens.queue")
        old = [view for view in views if accounts.is_old(view, now)]
        await all_ended(self._renew_early(view.channel, view.account_id) for view in old)

    async def _renew_early(self, channel: str, account_id: str) -> None:
        try:
            await self._accounts.renew(await self._accounts.get(channel, account_id), refused=False)
        except Held:
            return

    async def renew_token(self, payload: Payload) -> None:
        """Renew a token that the platform refused. Raises Later until there is another one, or no hope of it."""
        channel, account_id, now = payload["channel"], payload["account_id"], self._clock()
        await self._accounts.reload()
        try:
            stale = await self._accounts.get(channel, account_id)
        except Held:
            stale = None
        view = await self._database.read(partial(account_rows.find, channel=channel, account_id=account_id))
        if view is None or view.held or view.refresh_pending_since is None:
            return
        rests_until = view.rests_until(now)
        if rests_until is not None:
            raise Later(rests_until - now)
        try:
            renewed = stale is not None and await self._accounts.renew(stale)
        except Held:
            raise Later(HELD_PAUSE) from None
        if not renewed:
            raise Later(renewal.LOOK if stale else HELD_PAUSE)

    async def check_accounts(self, payload: Payload) -> None:
        """Look at the accounts whose last look is hours old; one that was not reached is asked again soon."""
        await self._checkups.look(await self._checkups.due())

    async def sync_templates(self, payload: Payload) -> None:
        """Ask the platform for an account's templates; without an account, queue that for each one that sends."""
        if not payload:
            now = self._clock()
            await self._database.write(partial(registry.queue_all, now=now), name="templates.queue")
            return
        await registry.sync_later(
            self._database, self._channels, self._accounts, payload["channel"], payload["account_id"], self._clock
        )
        await self._database.write(partial(holds.lift_templates, now=self._clock()), name="templates.lift")

    async def turn_points(self, payload: Payload) -> None:
        """Write down what is due in anybody's points: released, expired, reviewed."""
        await points.turn(self._database, self._clock())

    async def give_birthdays(self, payload: Payload) -> None:
        """Give points to those whose birthday it is."""
        await points.birthdays(self._database, self._clock())

    async def place_members(self, payload: Payload) -> None:
        """Give every member the tier that they earned under the programme of now."""
        await points.place(self._database, self._clock())

    async def settle_referral(self, payload: Payload) -> None:
        """Reward who was brought and who brought them, once that is earned."""
        now = self._clock()
        settle = partial(referrals.settle, friend_id=int(payload["friend"]), now=now)
        again = await self._database.write(settle, name="referrals.settle")
        if again is not None:
            raise Later(again - now)

    async def purge_bodies(self, payload: Payload) -> None:
        """Forget raw bodies after the settings' days, comments that can be answered no more, and old pictures."""
        before = self._clock() - timedelta(days=self._body_days)

        def step(session: Session, cursor: int, size: int) -> int | None:
            return inbox.purge_bodies(session, before, cursor, size)

        def forget(session: Session, cursor: int, size: int) -> int | None:
            return cursor if comments.purge(session, self._clock() - KEPT, size) == size else None

        def clear(session: Session, cursor: int, size: int) -> int | None:
            return cursor if drawings.purge(session, self._clock() - LIVES, size) == size else None

        await self._database.bulk(step, 0)
        await self._database.bulk(forget, 0)
        await self._database.bulk(clear, 0)


async def enqueue(database: Database, kind: str, now: datetime) -> None:
    """Let a kind of upkeep be done once, by whoever comes first."""
    await database.write(lambda session: _enqueue(session, kind, now), priority=Priority.WORK, name="upkeep.enqueue")


def _enqueue(session: Session, kind: str, now: datetime) -> None:
    jobs.add_many(session, [jobs.row(kind, "", {}, now)])


def _lift(session: Session, budget: Budget, now: datetime) -> None:
    holds.lift_templates(session, now)
    holds.turn_month(session, budget, now)
    allowances.lift(session, now)


def _keep_profiles(connection: Connection, found: Sequence[tuple[int, Profile, datetime]]) -> None:
    customers.lock_owners(connection, [identity for identity, _, _ in found])
    latest = {identity: (profile, now) for identity, profile, now in found}
    customers.keep_profiles(connection, [_seen(identity, *known) for identity, known in latest.items()])
    search.refresh_owners(connection, [identity for identity, (profile, _) in latest.items() if profile.name])


def _seen(identity: int, profile: Profile, now: datetime) -> dict[str, object]:
    """What a profile shows, as a row; what it leaves open is kept as it was."""
    shown = {"name": profile.name, "avatar_url": profile.avatar_url, "followed": profile.followed}
    return {"id": identity, "profile_at": now, **{key: each for key, each in shown.items() if each not in ("", None)}}


def _changed(session: Session, now: datetime, calendar: Calendar) -> list[int]:
    """The conversations to hand back, to ring for, or whose alarm is to end."""
    rung = {int(subject) for subject in alarms.subjects(session, WAITING_ALARM)}
    standing = {row.id: conversations.state_of(row) for row in conversation_rows.held(session)}
    stale = {key for key, state in standing.items() if conversations.is_stale(state, now)}
    return sorted(stale | (attendance.overdue(session, now, calendar) ^ rung))


def _visit(session: Session, ids: Sequence[int], now: datetime, calendar: Calendar) -> None:
    """Hand back, ring and solve, as these conversations stand once nobody else can change them."""
    customers.lock_owners(session.connection(), ids)
    states = {row.id: conversations.state_of(row) for row in conversation_rows.some(session, ids)}
    back = {key: conversations.given_up(each) for key, each in states.items() if conversations.is_stale(each, now)}
    conversation_rows.set_conversations(session, [conversations.row_of(key, state) for key, state in back.items()])
    overdue = {str(key) for key in attendance.overdue(session, now, calendar, ids)}
    words = "A customer waits for a person for over 15 minutes of opening hours: khachquen waiting lists who."
    alarms.ring_many(session, WAITING_ALARM, overdue, words, now)
    alarms.solve_many(session, WAITING_ALARM, {str(key) for key in ids} - overdue, now)
