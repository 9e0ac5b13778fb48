"""What may go out now: by priority, at each account's pace, by the platforms' rules, within the month's budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from bot import allowances, holds
from bot.accounts import Accounts
from bot.allowances import Allowances
from bot.channels.base import Channel
from bot.context import Talk
from bot.holds import Ring
from bot.pace import Paces
from bot.registry import Registry
from crm import consent, phones
from crm.budget import Budget, Month
from crm.consent import Standing
from crm.messages import Purpose, template_in
from crm.reach import ReachFacts, reach
from crm.templates import Key, Template, Terms
from storage import accounts, outbox, spending
from storage import claims as rows
from storage import holds as held_rows
from storage.allowances import Shut
from storage.claims import Claim, Due
from storage.expiry import Queued
from storage.holds import Hold
from storage.work import wake

LEASE = timedelta(seconds=20)
BURST = 10

_Account = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send now, by this lane, at this price in đồng unless the platform says otherwise."""

    due: Due
    lane: str
    token: int
    until: datetime
    cost: int

    @property
    def as_row(self) -> Claim:
        """What is written of it."""
        return Claim(self.due.id, self.lane, self.token, self.cost)


@dataclass(slots=True)
class Slots:
    """How many messages a transaction may claim, and what it claimed: that is sent once it is committed."""

    free: int
    claimed: list[Claimed] = field(default_factory=list)


class Turn(NamedTuple):
    """What one turn claimed, what it gave up and why, and what people must be told."""

    claimed: list[Claimed]
    refused: list[tuple[Due, str]]
    rings: list[Ring]


class _Verdict(NamedTuple):
    """A lane and its cost; or why it is given up; or why it waits, until when, and whom to tell."""

    lane: str = ""
    cost: int = 0
    refusal: str = ""
    held: str = ""
    until: datetime | None = None


class Claims:
    """Decides what goes out; lives as long as the worker that sends."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        living: Accounts,
        registry: Registry,
        paces: Paces,
        budget: Budget,
        allowed: Allowances,
    ) -> None:
        self._channels, self._accounts, self._registry, self._allowed = channels, living, registry, allowed
        self._paces, self._budget = paces, budget

    def make(self, session: Session, owner: str, now: datetime, free: int) -> Turn:
        """Claim up to `free` messages; one process claims at a time, so what it spends is counted exactly."""
        rows.lock(session)
        room, tats = self._room(session, now, free)
        turn = Turn([], [], [])
        if not room:
            return turn
        self._allowed.read(session)
        look = _Look(session, self._registry, self._budget, now, turn.rings)
        held: list[Hold] = []
        found = self._due(session, room, now, free)
        look.standings = standings(session, found)
        for due in found:
            if room.get((due.channel, due.account_id), 0) <= 0:
                continue
            verdict = self._judge(due, now, look)
            if verdict.refusal:
                turn.refused.append((due, verdict.refusal))
            elif verdict.until is not None:
                held.append(Hold(due.id, verdict.held, verdict.until))
            else:
                turn.claimed.append(self._claim(due, verdict, room, tats, look, now))
        rows.start(session, owner, now, now + LEASE, [each.as_row for each in turn.claimed])
        outbox.give_up(session, {due.id: reason for due, reason in turn.refused})
        held_rows.hold(session, held)
        if turn.refused or held:
            wake(session, outbox.TOPIC)
        if turn.claimed:
            self._reserve(session, tats, now)
        return turn

    def at_once(self, session: Session, owner: str, now: datetime, free: int, talks: Sequence[Talk]) -> list[Claimed]:
        """Claim replies before they are queued: their rows say so then, and need no turn.

        That is the first one of each person for whom nothing else waits or is sent. What waits already keeps its slots
        and its account's pace; and what may not simply go is left to a turn, which knows what to do with it.
        """
        if not rows.try_lock(session):
            return []
        room, tats = self._room(session, now, free)
        ahead = rows.ahead(session, [account for _, account in room], Purpose.REPLY.priority, now, free)
        for key, some in ahead.items():
            room[key] = room.get(key, 0) - some
        busy = rows.busy(session, [talk.person.identity_id for talk in talks])
        self._allowed.read(session)
        look = _Look(session, self._registry, self._budget, now, [])
        waiting = [_due(talk) for talk in talks]
        look.standings = standings(session, waiting)
        claimed: list[Claimed] = []
        for talk, due in zip(talks, waiting, strict=True):
            if len(claimed) + ahead.total() >= free:
                break
            if due.identity_id in busy or room.get((due.channel, due.account_id), 0) <= 0:
                continue
            verdict = self._judge(due, now, look)
            if verdict.lane:
                claim = self._claim(due, verdict, room, tats, look, now)
                talk.outgoing[0].update(rows.sending(owner, now, claim.until, claim.as_row))
                claimed.append(claim)
        if claimed:
            self._reserve(session, tats, now)
        return claimed

    def _claim(
        self,
        due: Due,
        verdict: _Verdict,
        room: dict[_Account, int],
        tats: dict[_Account, tuple[int, datetime]],
        look: _Look,
        now: datetime,
    ) -> Claimed:
        key = (due.channel, due.account_id)
        room[key] -= 1
        row, tat = tats[key]
        tats[key] = (row, max(tat, now) + self._paces.interval(key, now))
        look.spend(key, verdict.cost)
        return Claimed(due, verdict.lane, due.lease_token + 1, now + LEASE, verdict.cost)

    def _reserve(self, session: Session, tats: Mapping[_Account, tuple[int, datetime]], now: datetime) -> None:
        paced = {row: tat for key, (row, tat) in tats.items() if self._paces.interval(key, now)}
        accounts.hold_pace(session, paced)

    def _due(self, session: Session, room: Mapping[_Account, int], now: datetime, free: int) -> list[Due]:
        """What may be claimed. The marketing of an account near its limit waits, and is not in the way of others'."""
        found = rows.due(session, [account for _, account in room], now, free)
        strained = {key for key in room if self._paces.holds_marketing(key, now)}
        if not strained:
            return found
        may_go = [due for due in found if not _waits(due, strained)]
        if len(found) < free or len(may_go) == free:
            return may_go
        others = rows.due(session, [account for channel, account in room.keys() - strained], now, free)
        known = {due.id for due in may_go}
        return [*may_go, *(due for due in others if due.id not in known and not _waits(due, strained))][:free]

    def _room(
        self, session: Session, now: datetime, free: int
    ) -> tuple[dict[_Account, int], dict[_Account, tuple[int, datetime]]]:
        """How many messages each account may send now, and how far its pace is reserved already."""
        room: dict[_Account, int] = {}
        tats: dict[_Account, tuple[int, datetime]] = {}
        unreadable = self._accounts.unreadable
        for key, (row, tat, held, refused_since) in accounts.paces(session).items():
            if held or refused_since or key in unreadable:
                continue
            interval = self._paces.interval(key, now)
            slots = free if not interval else int((now + BURST * interval - max(tat, now)) / interval)
            if key[0] in self._channels and slots > 0 and tat <= now + BURST * interval:
                room[key] = slots
                tats[key] = (row, tat)
        return room, tats

    def _judge(self, due: Due, now: datetime, look: _Look) -> _Verdict:
        """Refusals count before holds: what may never go out must not wait for a template."""
        use = template_in(due.body)
        key = holds.key_of(due.channel, due.account_id, use) if use else None
        template = look.template(key) if key else None
        if key and template is None:
            return look.waits(key, holds.NOT_KNOWN)
        account = (due.channel, due.account_id)
        paying = self._allowed.paying(account, now)
        terms = template.terms if template else None
        answer = reach(self._channels[due.channel].rules, facts(due, now, look.standings[due.id], terms, paying))
        if answer.refusal is not None:
            return _Verdict(refusal=answer.refusal.value)
        if key and template and not template.is_usable:
            return look.waits(key, template.why_not)
        shut = look.shut(self._allowed, due, answer.lane)
        if shut is not None:
            return _Verdict(held=allowances.held(shut), until=shut.until)
        if look.is_over_budget(due, answer.cost):
            return _Verdict(held=look.over_budget, until=look.month.end)
        return _Verdict(answer.lane, answer.cost)


class _Look:
    """What one turn finds out beside its messages: consent, templates, money. Asks only where a message needs it."""

    def __init__(self, session: Session, registry: Registry, budget: Budget, now: datetime, rings: list[Ring]) -> None:
        self._session, self._registry, self._budget, self._now, self._rings = session, registry, budget, now, rings
        self.standings: Mapping[int, Standing] = {}
        self._is_fresh = self._lanes_are_fresh = False
        self._spent: dict[_Account, int] = {}
        self._spent_now: dict[_Account, int] = {}
        self._rung: set[object] = set()

    @property
    def month(self) -> Month:
        """The shop's month."""
        return self._budget.month(self._now)

    @property
    def over_budget(self) -> str:
        """The reason of what waits for the next month."""
        return f"{holds.OVER_BUDGET} ({self.month.name})"

    def template(self, key: Key) -> Template | None:
        """A template; one that cannot be used is looked at once more, so that nothing waits for old news."""
        found = self._registry.known(self._session).get(key)
        if (found is None or not found.is_usable) and not self._is_fresh:
            self._is_fresh = True
            self._registry.forget()
            found = self._registry.known(self._session).get(key)
        return found

    def waits(self, key: Key, why: str) -> _Verdict:
        """Hold a message for its template, and ring."""
        if key not in self._rung:
            self._rung.add(key)
            self._rings.append(holds.of_template(key, why))
        return _Verdict(held=holds.held(key, why), until=self._now + holds.LOOKS_AGAIN)

    def shut(self, allowed: Allowances, due: Due, lane: str) -> Shut | None:
        """What keeps a message from its lane; looked at once more, so that nothing waits for old news."""
        asked = (due.channel, due.account_id), lane, Purpose(due.purpose), self._now
        found = allowed.shut(*asked)
        if found is None or self._lanes_are_fresh:
            return found
        self._lanes_are_fresh = True
        allowed.forget()
        allowed.read(self._session)
        return allowed.shut(*asked)

    def is_over_budget(self, due: Due, cost: int) -> bool:
        """Whether a message must wait for the next month; rings where it does."""
        ceiling, key = self._budget.ceiling, (due.channel, due.account_id)
        if ceiling is None or not Purpose(due.purpose).is_marketing:
            return False
        if key not in self._spent:
            self._spent[key] = spending.spent(self._session, *key, self.month.start)
        over = self._spent[key] + self._spent_now.get(key, 0) + cost > ceiling
        if over and key not in self._rung:
            self._rung.add(key)
            self._rings.append(holds.of_budget(*key, self._budget, self.month))
        return over

    def spend(self, key: _Account, cost: int) -> None:
        """A message is claimed at this price."""
        if cost:
            self._spent_now[key] = self._spent_now.get(key, 0) + cost


def _due(talk: Talk) -> Due:
    """The first reply to a person as a turn would find it."""
    person, row = talk.person, talk.outgoing[0]
    return Due(
        row["id"],
        person.identity_id,
        person.channel,
        person.account_id,
        person.user_id,
        row["purpose"],
        row["typed_by_person"],
        row["body"],
        row["attempts"],
        row["resent"],
        row["lease_token"],
        talk.interaction_at or person.last_interaction_at,
        None if talk.interaction_at else person.unreachable_since,
        person.customer_id,
        row["created_at"],
    )


def _waits(due: Due, strained: Collection[_Account]) -> bool:
    return (due.channel, due.account_id) in strained and Purpose(due.purpose).is_marketing


def standings(session: Session, waiting: Sequence[Due | Queued]) -> dict[int, Standing]:
    """How the customer of each message that waits stands to it; nobody is asked about what is no marketing."""
    found = {each.id: Standing.NONE for each in waiting}
    asked: dict[tuple[Purpose, str], list[Due | Queued]] = {}
    for each in waiting:
        if (purpose := Purpose(each.purpose)).is_marketing:
            asked.setdefault((purpose, each.channel), []).append(each)
    for (purpose, channel), some in asked.items():
        stands = consent.standing(session, {each.customer_id for each in some}, purpose, channel)
        found |= {each.id: stands[each.customer_id] for each in some}
    return found


def facts(
    due: Due | Queued,
    now: datetime,
    standing: Standing,
    terms: Terms | None = None,
    paying: frozenset[str] = frozenset(),
) -> ReachFacts:
    """What `reach` must know about a message that waits; `terms` are those of its template, `paying` the allowances
    that may pay for it."""
    return ReachFacts(
        purpose=Purpose(due.purpose),
        last_interaction_at=due.last_interaction_at,
        now=now,
        typed_by_person=due.typed_by_person,
        consented=standing is Standing.GRANTED,
        opted_out=standing is Standing.WITHDRAWN,
        unreachable=due.unreachable_since is not None,
        template=terms,
        by_phone=bool(phones.number_at(due.user_id)),
        paying=paying,
    )
