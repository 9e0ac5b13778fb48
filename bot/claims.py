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
from bot.channels.base import Channel, Outgoing
from bot.context import Talk
from bot.holds import Ring
from bot.looks import Account, Look, Room
from bot.marketing import Gate
from bot.marks import mark_of
from bot.pace import BURST, Paces
from bot.registry import Registry
from crm import broadcast_rests, consent, phones, recipients
from crm.budget import Budget
from crm.consent import Standing
from crm.events import Address
from crm.messages import Purpose, template_in
from crm.reach import ReachFacts, reach
from crm.recipients import Source
from crm.templates import Terms
from crm.verdicts import Policy, Ready, Why
from storage import accounts, engines, outbox
from storage import claims as rows
from storage import holds as held_rows
from storage.claims import Claim, Due
from storage.expiry import Queued
from storage.holds import Hold
from storage.outbox import Sent
from storage.work import wake

LEASE = timedelta(seconds=20)


class Claimed(NamedTuple):
    """A message that is ours to send now, by this lane, at this price in đồng unless the platform says otherwise.

    Of what nobody asked for, `recipient` is whom it is for, `broadcast` what it belongs to (0: care), and `outgoing`
    what is sent, unless that must be made ready first.
    """

    due: Due
    lane: str
    token: int
    until: datetime
    cost: int
    recipient: int = 0
    broadcast: int = 0
    outgoing: Outgoing | None = None

    @property
    def as_row(self) -> Claim:
        """What is written of it."""
        return Claim(self.due.id, self.lane, self.token, self.cost)


@dataclass(slots=True)
class Slots:
    """How many messages a transaction may claim, and what it claimed: that is sent once it is committed.

    `sent` is what was sent before and is not written down yet, `noted` how much of it the transaction wrote down;
    `unasked` is how many it may claim beside them that nobody asked for.
    """

    free: int
    sent: list[Sent]
    unasked: int = 0
    claimed: list[Claimed] = field(default_factory=list)
    noted: int = 0

    def forget(self) -> None:
        """The transaction begins, begins anew, or was undone: nothing is claimed or noted in it."""
        self.claimed, self.noted = [], 0


class Turn(NamedTuple):
    """What one turn claimed, what it gave up and why, and what people must be told; `goes_on` where it left room and
    somebody may still be due, `refills` where an account's pace let no more go: after which time it lets some."""

    claimed: list[Claimed]
    refused: list[tuple[Due, str]]
    rings: list[Ring]
    goes_on: bool = False
    refills: timedelta | None = None


class Unasked(NamedTuple):
    """Whether anybody may have been due whom nobody asked for; whether more may be for whom there is room."""

    anybody: bool
    goes_on: bool


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
        policy: Policy,
        care: Source | None = None,
    ) -> None:
        """`policy` and `care` are the shop's rules, and its care rules, for what nobody asked for."""
        self._channels, self._accounts, self._registry, self._allowed = channels, living, registry, allowed
        self._paces, self._budget, self._policy, self._care = paces, budget, policy, care

    def make(self, session: Session, owner: str, now: datetime, free: int, beside: int = 0) -> tuple[Turn, Look | None]:
        """Claim up to `free` messages that wait in the outbox; what the turn saw, where there is room for any, with
        room for so many `beside` them.

        One process claims at a time, so what it spends is counted exactly.
        """
        rows.lock(session)
        room = self._room(session, now, free + beside)
        turn = Turn([], [], [])
        if not any(each.slots for each in room.values()):
            return turn, None
        self._allowed.read(session)
        look = self._look(session, room, now, turn.rings)
        held: list[Hold] = []
        found = self._due(session, room, now, free)
        look.standings = standings(session, found)
        for due in found:
            if not look.has_room((due.channel, due.account_id)):
                continue
            verdict = self._judge(due, now, look)
            if verdict.refusal:
                turn.refused.append((due, verdict.refusal))
            elif verdict.until is not None:
                held.append(Hold(due.id, verdict.held, verdict.until))
            else:
                turn.claimed.append(_claim(due, verdict, look, now))
        rows.start(session, owner, now, now + LEASE, [each.as_row for each in turn.claimed])
        outbox.give_up(session, {due.id: reason for due, reason in turn.refused})
        held_rows.hold(session, held)
        if turn.refused or held:
            wake(session, outbox.TOPIC)
        if turn.claimed:
            accounts.hold_pace(session, look.paced)
        return turn, look

    def unasked(self, session: Session, turn: Turn, look: Look, owner: str, now: datetime, most: int) -> Unasked:
        """Take up to `most` of those whom broadcasts and care rules mean to write to; pause what cannot go on.

        In the transaction of `make`, after it: the paces of accounts leave them what answers leave.
        """
        left = min(most, look.left)
        if left <= 0:
            return Unasked(anybody=True, goes_on=False)
        gate = Gate(self._channels, self._paces, look, now)
        taken = recipients.take(session, gate, self._policy, self._care, now, left)
        with engines.together(session.connection()):
            recipients.write(session, taken, owner, now + LEASE, now)
            if taken.ready:
                accounts.hold_pace(session, look.paced)
        broadcast_rests.settle(session, taken, now)
        turn.claimed.extend([_unasked(each, now, now + LEASE) for each in taken.ready])
        moved = taken.ready or taken.skips or any(held.reason != Why.PACE for _, held in taken.waits)
        return Unasked(bool(moved or taken.waits), bool(moved) and len(taken.ready) < left)

    def at_once(self, session: Session, owner: str, now: datetime, slots: Slots, talks: Sequence[Talk]) -> None:
        """Claim replies before they are queued, and write down what was sent: neither needs a turn then.

        That is the first one of each person for whom nothing else waits or is sent. What waits already keeps its slots
        and its account's pace; and what may not simply go is left to a turn, which knows what to do with it.
        Only for a process that claims alone.
        """
        outbox.sent(session.connection(), slots.sent)
        slots.noted, free = len(slots.sent), slots.free
        room = self._room(session, now, free)
        ahead = rows.ahead(session, [account for _, account in room], Purpose.REPLY.priority, now, free)
        if ahead:
            wake(session, outbox.TOPIC)
        for key, some in ahead.items():
            if key in room:
                room[key].slots -= some
        busy = rows.busy(session, [talk.person.identity_id for talk in talks])
        self._allowed.read(session)
        look = self._look(session, room, now, [])
        waiting = [_due(talk) for talk in talks]
        look.standings = standings(session, waiting)
        for talk, due in zip(talks, waiting, strict=True):
            if len(slots.claimed) + ahead.total() >= free:
                break
            if due.identity_id in busy or not look.has_room((due.channel, due.account_id)):
                continue
            verdict = self._judge(due, now, look)
            if verdict.lane:
                claim = _claim(due, verdict, look, now)
                talk.outgoing[0].update(rows.sending(owner, now, claim.until, claim.as_row))
                slots.claimed.append(claim)
        if slots.claimed:
            accounts.hold_pace(session, look.paced)

    def _look(self, session: Session, room: Mapping[Account, Room], now: datetime, rings: list[Ring]) -> Look:
        return Look(session, self._registry, self._budget, self._allowed, room, now, rings)

    def _due(self, session: Session, room: Mapping[Account, Room], now: datetime, free: int) -> list[Due]:
        """What may be claimed. The marketing of an account near its limit waits, and is not in the way of others'."""
        found = rows.due(session, [account for (_, account), each in room.items() if each.slots], now, free)
        strained = {key for key in room if self._paces.holds_marketing(key, now)}
        if not strained:
            return found
        may_go = [due for due in found if not _waits(due, strained)]
        if len(found) < free or len(may_go) == free:
            return may_go
        open_to_all = [key for key, each in room.items() if each.slots and key not in strained]
        others = rows.due(session, [account for _, account in open_to_all], now, free)
        known = {due.id for due in may_go}
        return [*may_go, *(due for due in others if due.id not in known and not _waits(due, strained))][:free]

    def _room(self, session: Session, now: datetime, free: int) -> dict[Account, Room]:
        """What each account that sends may send now."""
        room: dict[Account, Room] = {}
        unreadable = self._accounts.unreadable
        for key, (row, tat, held, refused_since) in accounts.paces(session).items():
            if held or refused_since or key in unreadable or key[0] not in self._channels:
                continue
            interval = self._paces.interval(key, now)
            slots = free if not interval else int((now + BURST * interval - max(tat, now)) / interval)
            room[key] = Room(row, max(slots, 0) if tat <= now + BURST * interval else 0, tat, interval)
        return room

    def _judge(self, due: Due, now: datetime, look: Look) -> _Verdict:
        """Refusals count before holds: what may never go out must not wait for a template."""
        use = template_in(due.body)
        key = holds.key_of(due.channel, due.account_id, use) if use else None
        template = look.template(key) if key else None
        if key and template is None:
            return _waiting(*look.waits(key, holds.NOT_KNOWN))
        account = (due.channel, due.account_id)
        paying = self._allowed.paying(account, now)
        terms = template.terms if template else None
        answer = reach(self._channels[due.channel].rules, facts(due, now, look.standings[due.id], terms, paying))
        if answer.refusal is not None:
            return _Verdict(refusal=answer.refusal.value)
        if key and template and not template.is_usable:
            return _waiting(*look.waits(key, template.why_not))
        purpose = Purpose(due.purpose)
        shut = look.shut(account, purpose, answer.lane)
        if shut is not None:
            return _Verdict(held=allowances.held(shut), until=shut.until)
        if look.is_over_budget(account, purpose, answer.cost):
            return _Verdict(held=look.over_budget, until=look.month.end)
        return _Verdict(answer.lane, answer.cost)


def _claim(due: Due, verdict: _Verdict, look: Look, now: datetime) -> Claimed:
    look.spend((due.channel, due.account_id), verdict.cost)
    return Claimed(due, verdict.lane, due.lease_token + 1, now + LEASE, verdict.cost)


def _unasked(ready: Ready, now: datetime, until: datetime) -> Claimed:
    row, place, reached = ready.recipient, ready.place, ready.option.reach
    due = Due(
        ready.outbox_id, place.identity_id, place.channel, place.account_id, place.user_id, row.purpose, False,
        ready.body, row.attempts, False, 1, place.last_interaction_at, place.unreachable_since, row.customer_id, now,
    )  # fmt: skip
    address = Address(place.channel, place.account_id, place.user_id)
    said = ready.message
    outgoing = None if said.kept or said.speaker else Outgoing(address, said, reached.lane, mark_of(ready.outbox_id))
    return Claimed(due, reached.lane, 1, until, reached.cost, row.id, row.broadcast_id or 0, outgoing)


def _waiting(held: str, until: datetime) -> _Verdict:
    return _Verdict(held=held, until=until)


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


def _waits(due: Due, strained: Collection[Account]) -> bool:
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
