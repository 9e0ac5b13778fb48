"""What care rules mean to send, and sent: the queries on their recipients."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select, update
from sqlmodel import Session

from storage.moments import Happened, Walk
from storage.queue import stands
from storage.recipients import (
    DELIVERED,
    MERGED,
    OPEN,
    PENDING,
    READ,
    SENDING,
    SENT,
    SKIPPED,
    UNKNOWN,
    Recipient,
    Tally,
)

REACHED = (SENDING, SENT, DELIVERED, READ, UNKNOWN)
"""The states of those who may have got their message."""

OF_PERSON = ("customer", "birthday", "points")
"""The kinds of subjects that are a customer's own, not an order's or a message's: `birthday:17:2027`."""

_recipient = Recipient.__table__  # type: ignore[attr-defined]


class CareRow(NamedTuple):
    """A recipient of a care rule as read."""

    id: int
    care_rule_id: int
    subject: str
    state: str
    reason: str
    due_at: datetime
    happened_at: datetime
    meant_at: datetime
    sent_at: datetime | None


def of_customer(session: Session, rule_ids: Collection[int], customer_id: int) -> list[CareRow]:
    """What these versions of rules meant, or mean, to tell a customer, the oldest first."""
    theirs = (_recipient.c.care_rule_id.in_(sorted(rule_ids)), _recipient.c.customer_id == customer_id)
    statement = select(*(_recipient.c[name] for name in CareRow._fields)).where(*theirs).order_by(_recipient.c.id)
    return [CareRow._make(row) for row in session.connection().execute(statement)]


def sent(session: Session, rule_ids: Collection[int], walk: Walk) -> list[Happened]:
    """Messages of these versions that may have reached somebody, as they went out; `about` is the recipient."""
    at, key, (moment, number) = _recipient.c.sent_at, _recipient.c.id, walk.after
    theirs = (_recipient.c.care_rule_id.in_(sorted(rule_ids)), _recipient.c.state.in_(REACHED))
    behind = (at >= moment, at <= walk.until, (at > moment) | (key > number))
    statement = select(_recipient.c.customer_id, at, key).where(*theirs, *behind).order_by(at, key).limit(walk.most)
    return [Happened(row[0], row[1], row[2], "", (row[1], row[2])) for row in session.connection().execute(statement)]


def reached(session: Session, ids: Collection[int]) -> set[int]:
    """Those of these recipients who may have got their message."""
    statement = select(_recipient.c.id).where(_recipient.c.id.in_(sorted(ids)), _recipient.c.state.in_(REACHED))
    return set(session.connection().execute(statement).scalars())


def last_sent(session: Session, customer_ids: Collection[int]) -> dict[int, datetime]:
    """When these customers last may have got something by any care rule."""
    theirs = (
        _recipient.c.customer_id.in_(sorted(customer_ids)), _recipient.c.sent_at.is_not(None),
        _recipient.c.care_rule_id.is_not(None),
    )  # fmt: skip
    statement = select(_recipient.c.customer_id, func.max(_recipient.c.sent_at)).where(*theirs)
    rows = session.connection().execute(statement.group_by(_recipient.c.customer_id))
    return {row[0]: row[1] for row in rows}


def put_off(session: Session, customer_ids: Collection[int], but_not: Collection[int]) -> set[int]:
    """Those of these customers for whom another message of care than these was looked at, and waits for its moment."""
    theirs = (
        _recipient.c.customer_id.in_(sorted(customer_ids)), _recipient.c.care_rule_id.is_not(None),
        _recipient.c.state == PENDING, _recipient.c.reason != "", _recipient.c.id.not_in(sorted(but_not)),
    )  # fmt: skip
    return set(session.connection().execute(select(_recipient.c.customer_id).where(*theirs)).scalars())


def next_due(session: Session, after: datetime) -> datetime | None:
    """When somebody is due next by any care rule, behind this moment."""
    due = (_recipient.c.broadcast_id.is_(None), stands(_recipient.c.state, *OPEN), _recipient.c.due_at > after)
    found: datetime | None = session.connection().execute(select(func.min(_recipient.c.due_at)).where(*due)).scalar()
    return found


def tally(session: Session, rule_ids: Collection[int]) -> list[Tally]:
    """How all stand whom these versions ever meant to write to."""
    alike = (_recipient.c.state, _recipient.c.reason, _recipient.c.lane)
    statement = select(*alike, func.count()).where(_recipient.c.care_rule_id.in_(sorted(rule_ids)))
    rows = session.connection().execute(statement.group_by(*alike).order_by(*alike))
    return [Tally._make(row) for row in rows]


def are_more(session: Session, rule_ids: Collection[int], most: int) -> bool:
    """Whether these versions ever meant to write to more than so many; looks at no more than that."""
    some = select(_recipient.c.id).where(_recipient.c.care_rule_id.in_(sorted(rule_ids))).limit(most + 1).subquery()
    return bool(session.connection().execute(select(func.count()).select_from(some)).scalar_one() > most)


def carry_over(session: Session, source: int, target: int) -> None:
    """What care rules do once for one customer they do once for both: the other's subjects take their place.

    Of two that are about the same only one may go out: the other's that waits, where the first one's did, too.
    """
    run = session.connection().execute
    kind = _recipient.c
    about_them = or_(*(kind.subject == f"{each}:{source}" for each in OF_PERSON), *(
        kind.subject.like(f"{each}:{source}:%") for each in OF_PERSON
    ))  # fmt: skip
    theirs = (kind.customer_id == source, kind.once_key.is_not(None), about_them)
    for row in run(select(kind.id, kind.subject, kind.once_key, kind.state, kind.sent_at).where(*theirs)).all():
        subject = _of(row.subject, target)
        once_key = row.once_key.removesuffix(row.subject) + subject
        twin = run(select(kind.id, kind.state).where(kind.once_key == once_key)).first()
        if twin is None:
            run(update(_recipient).where(kind.id == row.id).values(subject=subject, once_key=once_key))
            continue
        needless = row.id if row.state == PENDING else twin.id if row.sent_at is not None else None
        waits = (kind.id == needless, stands(kind.state, PENDING))
        run(update(_recipient).where(*waits).values(state=SKIPPED, reason=MERGED))


def _of(subject: str, customer_id: int) -> str:
    kind, _, rest = subject.partition(":")
    _, colon, rest = rest.partition(":")
    return f"{kind}:{customer_id}{colon}{rest}"
