"""Points given or taken by hand: with a reason, and above a limit only by two."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from crm import ledger, posting, programmes, words
from crm.errors import Conflict, Invalid, NotFound
from crm.ledger import Fact, Kind, Posted, Terms
from crm.posting import KeyTaken
from crm.programme import midnight
from storage import adjustments as store
from storage import customers as people
from storage import programmes as turns
from storage.adjustments import WAITING as WAITING
from storage.adjustments import Adjustment as Adjustment

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: it is written, or it waits for a second person. `repeated`: this had been told before."""

    posted: Posted | None
    waiting: Adjustment | None
    repeated: bool


def adjust(session: Session, customer_id: int, points: int, fact: Fact) -> Outcome:
    """Give (+) or take (−) points. What is more than `fact.actor` may do alone in a day waits for somebody else.

    Raises Invalid without a reason or an actor, NotEnough where more would be taken than there is.
    """
    posting.check(abs(points) if type(points) is int else points, ledger.SPEND)
    reason = fact.reason.strip()
    if not reason or len(reason) > _LONGEST:
        raise Invalid(
            "reason", f"Cần lý do, tối đa {_LONGEST} ký tự.", f"A reason of 1 to {_LONGEST} characters is needed."
        )
    if not fact.actor:
        raise Invalid("actor", "Cần biết ai làm.", "It must be known who does it.")
    fact = replace(fact, key=f"{store.BY_HAND}{fact.key}")
    _held(session, customer_id)
    asked = store.of_fact(session, fact.key) is not None
    if not asked and (ledger.is_known(session, fact.key) or _may_alone(session, customer_id, points, fact)):
        done = _post(session, customer_id, points, fact)
        return Outcome(done, None, done.repeated)
    row = {
        "source_key": fact.key, "customer_id": customer_id, "points": points, "reason": reason,
        "asked_by": fact.actor, "asked_at": fact.now, "state": store.WAITING, "decided_by": "",
    }  # fmt: skip
    found, is_new = store.add(session, row)
    if (found.customer_id, found.points) != (customer_id, points):
        raise KeyTaken
    return Outcome(None, found, not is_new)


def needs_second(session: Session, customer_id: int, points: int, by: str, now: datetime) -> bool:
    """Whether this is more than one person may give and take alone at once, or in a day, over all customers together.

    What they give one customer and take from the same one again that day does not count.
    """
    programme = programmes.at(session, now)
    limit = programme.points.approve_above
    if limit is None:
        return False
    moved = Counter({customer_id: points})
    for done in store.by_hand(session, midnight(now.astimezone(programme.zone).date(), programme.zone)):
        if _person(done.actor) == _person(by):
            moved[done.customer_id] += done.points
    return max(abs(points), sum(map(abs, moved.values()))) > limit


def _may_alone(session: Session, customer_id: int, points: int, fact: Fact) -> bool:
    """So that two at once count each other, one waits for the other."""
    turns.hold(session, fact.now)
    return not needs_second(session, customer_id, points, fact.actor, fact.now)


def approve(session: Session, number: int, by: str, now: datetime) -> Adjustment:
    """A second person agrees, and it is written. Raises Conflict for the one who asked, or where it is decided."""
    found = _undecided(session, number, by)
    fact = Fact(key=found.source_key, now=now, reason=found.reason, actor=f"{found.asked_by}+{by}"[:64])
    done = _post(session, found.customer_id, found.points, fact)
    store.decide(
        session, number, state=store.APPROVED, decided_by=by, decided_at=now, entry_id=done.entry_id
    )  # fmt: skip
    return find(session, number)


def check_open(asked: Adjustment, by: str) -> None:
    """Raises Conflict where it is decided already, or where somebody would approve what they asked for themselves."""
    if asked.state != store.WAITING:
        raise Conflict("Yêu cầu này đã được quyết định.", "This is decided already.", field="adjustment")
    if _person(asked.asked_by) == _person(by):
        raise Conflict("Cần người khác duyệt.", "Somebody else must approve it.", field="actor")


def refuse(session: Session, number: int, by: str, now: datetime) -> Adjustment:
    """It shall not be; the one who asked may say so, too. Raises Conflict where it is decided."""
    _undecided(session, number, "")
    store.decide(session, number, state=store.REFUSED, decided_by=by, decided_at=now)
    return find(session, number)


def waiting(session: Session, most: int = 100) -> list[Adjustment]:
    """Those that wait for a second person, the oldest first."""
    return store.waiting(session, most)


def find(session: Session, number: int) -> Adjustment:
    """One of them. Raises NotFound."""
    found = store.one(session, number)
    if found is None:
        raise NotFound("Không có yêu cầu này.", "There is no such adjustment.", field="adjustment")
    return found


def _person(actor: str) -> str:
    """Who it is, wherever they said it; of the staff, whose names may be alike, by their id."""
    kind, _, name = actor.partition(":")
    return actor if kind == "staff" else words.plain(name or kind)


def _undecided(session: Session, number: int, by: str) -> Adjustment:
    _held(session, find(session, number).customer_id)
    found = store.one(session, number, lock=True)
    assert found is not None
    check_open(found, by)
    return found


def _held(session: Session, customer_id: int) -> int:
    """The customer, or whom they turned out to be meanwhile: held."""
    people.lock(session, [customer_id])
    found = people.profile(session, customer_id)
    return customer_id if found is None or found.merged_into is None else _held(session, found.merged_into)


def _post(session: Session, customer_id: int, points: int, fact: Fact) -> Posted:
    owner = _held(session, customer_id)
    if points < 0:
        return ledger.redeem(session, owner, -points, fact, kind=Kind.ADJUST)
    expires_at = programmes.at(session, fact.now).expires_at(fact.now)
    return ledger.earn(session, owner, points, fact, terms=Terms(None, expires_at), kind=Kind.ADJUST)
