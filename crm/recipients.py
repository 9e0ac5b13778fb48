"""Those whom broadcasts and care rules mean to write to: enrolled, taken when they are due, and written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from sqlmodel import Session

from crm import broadcast_clock, consent, content
from crm.consent import Standing
from crm.content import Content
from crm.ledger import SPEND
from crm.messages import Purpose
from crm.verdicts import Batch, Gate, Held, Look, Policy, Ready, Taken
from crm.wording import Values
from storage import balances, broadcasts, transcripts, turns
from storage import care as rules
from storage import outbox as queue
from storage import recipients as store
from storage.broadcasts import BroadcastView
from storage.outbox import Sending
from storage.recipients import Aim
from storage.turns import Place, Waiting

enrol = store.enrol


class Source(Protocol):
    """What a care rule adds: the condition that is looked at again, what it says, and what is known for its gaps."""

    def recheck(self, session: Session, rows: Sequence[Waiting], now: datetime) -> Mapping[int, str | Held]:
        """Those that do not go out now, by recipient id: why they never will, or until when they wait."""

    def batches(self, session: Session, rows: Sequence[Waiting], now: datetime) -> Sequence[Batch]:
        """What these are told: those together whom one text in one language is for."""


def take(session: Session, gate: Gate, policy: Policy, care: Source | None, now: datetime, most: int) -> Taken:
    """Choose up to `most` of those who are due, with everything looked at again; `write` keeps what comes of it.

    Care goes before broadcasts, which share what is left. Outside the lawful hours there is nobody.
    """
    taken = Taken()
    if not policy.hours.is_lawful(now):
        return taken
    of_care = turns.of_care(session, now, most) if care is not None else []
    of_broadcasts = _due_of_broadcasts(session, policy, now, most - len(of_care))
    every = [*of_care, *(row for _, rows in of_broadcasts for row in rows)]
    if not every:
        return taken
    look = Look(session, gate, policy, now, every, taken)
    if care is not None and of_care:
        for batch in _of_care(session, care, of_care, taken, now):
            look.judge(batch)
    for each, rows in of_broadcasts:
        taken.looked.append(each)
        said = Content.loads(each.content)
        look.judge(Batch(each.id, said, rows, values(session, content.names(said), rows, look.places, policy.shop)))
    return taken


def _due_of_broadcasts(
    session: Session, policy: Policy, now: datetime, most: int
) -> list[tuple[BroadcastView, Sequence[Waiting]]]:
    """Who is due of each running broadcast; they share the room, and what one leaves the next may have.

    Nobody where all stood still for long: the clock asks first whether they go on.
    """
    found: list[tuple[BroadcastView, Sequence[Waiting]]] = []
    running = broadcasts.running(session, now) if most > 0 else []
    if running and broadcast_clock.stood_still(session, now, policy):
        return []
    for number, each in enumerate(running):
        share = -(-most // (len(running) - number))
        rows = turns.of_broadcast(session, each.id, now, share) if share > 0 else []
        most -= len(rows)
        if rows:
            found.append((each, rows))
    return found


def _of_care(session: Session, care: Source, rows: Sequence[Waiting], taken: Taken, now: datetime) -> list[Batch]:
    """Those for whom it is still the time, as their rules see it, by what they are told."""
    ended = care.recheck(session, rows, now)
    for row in rows:
        how = ended.get(row.id)
        if isinstance(how, Held):
            taken.waits.append((row, how))
        elif how is not None:
            taken.skips[row.id] = how
    return list(care.batches(session, [row for row in rows if row.id not in ended], now))


def write(session: Session, taken: Taken, owner: str, lease_until: datetime, now: datetime) -> None:
    """Keep what became of everybody: those that are ready are being sent from now on."""
    store.put_off(session, [_put_off(row, held) for row, held in taken.waits])
    store.skip(session, taken.skips)
    if taken.ready:
        queue.add_sending(session.connection(), [_row(each, owner, lease_until, now) for each in taken.ready])
        transcripts.add_said(session, [_line(each, now) for each in taken.ready])
        store.start(session, [_mark(each, now) for each in taken.ready])


def may_still_go(session: Session, recipient_id: int, channel: str) -> bool:
    """Whether one that was taken a while ago may still be called for: they still agree, and nobody stopped it."""
    aim = store.aim(session, recipient_id)
    purpose = Purpose(aim.purpose)
    if not _goes_on(session, aim):
        return False
    if not purpose.is_marketing:
        return True
    return consent.standing(session, [aim.customer_id], purpose, channel)[aim.customer_id] is Standing.GRANTED


def _goes_on(session: Session, aim: Aim) -> bool:
    """Whether the broadcast runs, or the care rule is on, that this is of."""
    if aim.broadcast_id is not None:
        found = broadcasts.find(session, aim.broadcast_id)
        return found is not None and found.state == broadcasts.RUNNING
    rule = aim.care_rule_id
    return rule is not None and rules.states(session, [rule]).get(rule) == rules.ON


def values(
    session: Session,
    names: Collection[str],
    rows: Sequence[Waiting],
    places: Mapping[int, Sequence[Place]],
    shop: Mapping[str, str],
) -> dict[int, Values]:
    """What stands for the gaps, by recipient; costs nothing where there are none."""
    if not names:
        return {}
    ids = sorted({row.customer_id for row in rows})
    points = balances.holdings(session, ids, SPEND) if "khach.diem" in names else {}
    found: dict[int, Values] = {}
    for row in rows:
        called = row.name or next((place.name for place in places.get(row.customer_id, ()) if place.name), "")
        found[row.id] = content.values_of(
            called, points[row.customer_id].balance if row.customer_id in points else 0, shop
        )
    return found


def _put_off(row: Waiting, held: Held) -> dict[str, Any]:
    return {"id": row.id, "due_at": held.until, "reason": held.reason, "attempts": row.attempts + held.counts}


def _row(each: Ready, owner: str, lease_until: datetime, now: datetime) -> Sending:
    row, place, reached = each.recipient, each.place, each.option.reach
    return Sending(
        each.outbox_id, place.identity_id, place.channel, place.account_id, place.user_id, row.purpose,
        _priority(row.purpose), each.body, now, row.attempts, owner, lease_until, reached.lane, reached.cost, now, now,
    )  # fmt: skip


@cache
def _priority(purpose: str) -> int:
    return Purpose(purpose).priority


def _line(each: Ready, now: datetime) -> transcripts.NewLine:
    said = each.message
    return transcripts.NewLine(each.outbox_id, each.place.identity_id, said.text, said.picture, now)


def _mark(each: Ready, now: datetime) -> store.Start:
    return store.Start(each.recipient.id, each.place.identity_id, each.outbox_id, each.option.reach.lane, now)
