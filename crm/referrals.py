"""Members bring friends: whom a code stands for, who may be brought, what both get for the first delivered order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from crm import codes, gifts, programmes, reckoning
from crm.errors import Conflict
from crm.ledger import Posted
from crm.programme import Event, Programme, midnight
from storage import customers as people
from storage import jobs, orders, refunds
from storage import referrals as store
from storage.columns import NEVER
from storage.loyalty import SPEND
from storage.referrals import REFUSED, WAITING, Referral

JOB = "referral.settle"
TELL = "referral.tell"
"""The job that says what a referral paid: to which `customer`, how many `points`, by which ledger entry
(`fact`), and whether they are the `friend`."""
REF = "gt-"
"""How the word in a link begins that brings a friend: `gt-<code>`."""
REWARDED = "rewarded"
CAPPED = "capped"
"""The friend was rewarded, but the member had brought as many in this year as count."""

_LENGTH = 7
_PIECE = re.compile(r"[^\W_]+")
_LOOKED_AT = 20


class Word(StrEnum):
    """What is said to somebody who comes with a code."""

    KEPT = "kept"
    ALREADY = "already"
    OWN = "own"
    RING = "ring"
    NOT_NEW = "not_new"
    UNKNOWN = "unknown"


_REFUSALS = {
    Word.ALREADY: ("Khách này đã do người khác giới thiệu.", "This customer was brought by somebody else."),
    Word.OWN: ("Không ai tự giới thiệu mình.", "Nobody brings themselves."),
    Word.RING: ("Hai người đã giới thiệu vòng lại nhau.", "This would close a ring: the one brought the other."),
    Word.NOT_NEW: ("Khách này đã có đơn trước đó.", "This customer has ordered before."),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the programme promises now for a friend's first order, in points: to the member, and to the friend."""

    referrer: int
    friend: int


def offer(session: Session, now: datetime) -> Offer | None:
    """What is promised; None where bringing friends earns nothing."""
    programme = programmes.at(session, now)
    found = Offer(_points(programme, Event.REFERRAL), _points(programme, Event.REFERRED))
    return found if found.referrer or found.friend else None


def code_of(session: Session, customer_id: int) -> str:
    """The code that a member gives to friends, made when it is first asked for."""
    while (code := store.code_of(session, customer_id)) is None:
        store.give_code(session, customer_id, codes.new(_LENGTH))
    return code


def code_in(text: str) -> str:
    """The first word of a text that has a code's form and the right check character; "" for none."""
    pieces: list[str] = _PIECE.findall(text.upper())
    return next((piece for piece in pieces if codes.is_code(piece, _LENGTH)), "")


def code_of_ref(ref: str) -> str:
    """The code in a link's word; "" where the link brought nobody's friend."""
    return code_in(ref.removeprefix(REF)) if ref.startswith(REF) else ""


def brought(session: Session, customer_id: int) -> int:
    """How many friends of a member have earned them something."""
    return store.count(session, customer_id, REWARDED, NEVER)


def accept(session: Session, customer_id: int, code: str, now: datetime) -> Word:
    """Keep that a customer came by this code, if they are new and it is a friend's.

    The same code again changes nothing.
    """
    referrer = store.by_code(session, code)
    if referrer is None:
        return Word.UNKNOWN
    known = store.of_friend(session, customer_id)
    if known is not None:
        return Word.KEPT if known.referrer_id == referrer and known.state == WAITING else Word.ALREADY
    refused = _refused(session, customer_id, referrer, now)
    if refused is not None:
        return refused
    return Word.KEPT if store.add(session, customer_id, referrer, now) else Word.ALREADY


def tell(session: Session, referrer: int, friend: int, now: datetime) -> None:
    """Keep what another system knows: that a member brought a customer. Both are rewarded as if the friend had used the
    member's code, and once, whichever way it comes. The same again changes nothing. Raises Conflict with the reason.
    """
    people.lock(session, sorted({referrer, friend}))
    known = store.of_friend(session, friend)
    if known is not None and known.referrer_id == referrer:
        return
    refused = Word.ALREADY if known is not None else _refused(session, friend, referrer, now)
    if refused is not None:
        raise Conflict(*_REFUSALS[refused], field="friend")
    store.add(session, friend, referrer, now)
    queue(session, friend, now)


def carry_over(session: Session, source: int, target: int, now: datetime) -> None:
    """A chat turned out to be a customer's: who brought the one brought the other, unless somebody else had before.

    The caller holds both.
    """
    known = store.of_friend(session, source)
    if known is None or known.state != WAITING:
        return
    if store.of_friend(session, target) is not None:
        store.settle(session, source, REFUSED, Word.ALREADY, now)
        return
    store.move(session, source, target)
    queue(session, target, now)


def queue(session: Session, customer_id: int, now: datetime) -> None:
    """Look soon whether a customer's first order came, if they were brought by somebody."""
    known = store.of_friend(session, customer_id)
    if known is not None and known.state == WAITING:
        jobs.add_many(session, [jobs.row(JOB, str(customer_id), {"friend": customer_id}, now)])


def settle(session: Session, friend_id: int, now: datetime) -> datetime | None:
    """Reward both once the friend's first order was delivered and its points can be spent; when to look again, if ever.

    May be called any number of times. What was kept is judged anew: a chat may have turned out to be somebody's.
    """
    known = store.of_friend(session, friend_id)
    if known is None or known.state != WAITING:
        return None
    people.lock(session, [friend_id, known.referrer_id])
    known = store.of_friend(session, friend_id)
    if known is None or known.state != WAITING:
        return None
    refused = _refused(session, friend_id, known.referrer_id, known.at)
    if refused is not None:
        store.settle(session, friend_id, REFUSED, refused, now)
        return None
    at = _delivered(session, known)
    if at is None or at > now:
        return at
    _reward(session, known, now)
    return None


def _reward(session: Session, known: Referral, now: datetime) -> None:
    programme = programmes.at(session, now)
    subject = f"friend:{known.friend_id}"
    given = gifts.give(session, known.friend_id, Event.REFERRED, subject, now)
    _say(session, known.friend_id, given, now, friend=True)
    most = programme.points.most_referrals_per_year
    year = midnight(date(now.astimezone(programme.zone).year, 1, 1), programme.zone)
    capped = most is not None and store.count(session, known.referrer_id, REWARDED, year) >= most
    if not capped:
        given = gifts.give(session, known.referrer_id, Event.REFERRAL, subject, now)
        _say(session, known.referrer_id, given, now, friend=False)
    store.settle(session, known.friend_id, CAPPED if capped else REWARDED, "", now)


def _say(session: Session, customer_id: int, given: Sequence[Posted], now: datetime, *, friend: bool) -> None:
    points = sum(each.points for each in given)
    if points:
        entry = given[0].entry_id
        said = {"customer": customer_id, "points": points, "friend": friend, "fact": entry}
        jobs.add_many(session, [jobs.row(TELL, f"{entry}", said, now)])


def _refused(session: Session, friend: int, referrer: int, at: datetime) -> Word | None:
    """Why this member cannot have brought this customer at that moment."""
    if friend == referrer or _same_phone(session, friend, referrer):
        return Word.OWN
    if orders.has_before(session, friend, at):
        return Word.NOT_NEW
    return Word.RING if _is_ring(session, friend, referrer) else None


def _same_phone(session: Session, friend: int, referrer: int) -> bool:
    one, other = people.profile(session, friend), people.profile(session, referrer)
    return one is not None and other is not None and one.phone is not None and one.phone == other.phone


def _is_ring(session: Session, friend: int, referrer: int) -> bool:
    """Whether the friend stands above the member already, in the row of those who brought whom."""
    seen = {referrer}
    above = store.of_friend(session, referrer)
    while above is not None and _stands(above) and above.referrer_id not in seen:
        if above.referrer_id == friend:
            return True
        seen.add(above.referrer_id)
        above = store.of_friend(session, above.referrer_id)
    return False


def _stands(known: Referral) -> bool:
    """Whether it counts for rings: what was refused for one goes on closing it."""
    return known.state != REFUSED or known.why == Word.RING


def _delivered(session: Session, known: Referral) -> datetime | None:
    """From when the points of the friend's first delivered order, of which something was kept, can be spent."""
    for order in orders.delivered_since(session, known.friend_id, known.at, _LOOKED_AT):
        total, _ = reckoning.left_of(order, refunds.of_order(session, order.id))
        if total > 0 and order.delivered_at is not None:
            wait = programmes.at(session, order.placed_at).points.wait_days
            return order.delivered_at + timedelta(days=wait)
    return None


def _points(programme: Programme, event: Event) -> int:
    return sum(rule.points for rule in programme.events if rule.event is event and rule.currency == SPEND)
