"""Points for what is no order: a sign-up, a birthday, a review, a referral."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from crm import birthdays as days
from crm import ledger, programmes, stamps
from crm.ledger import Fact, Posted, Terms
from crm.programme import Event, EventRule, Often
from storage import customers as people
from storage import moments
from storage.moments import Walk

EVENT = "event:"
"""How the keys of such facts begin."""


def give(
    session: Session, customer_id: int, event: Event, subject: str, now: datetime, actor: str = ""
) -> list[Posted]:
    """What the programme gives for this event, as often as it may come; `subject` tells those that always count apart.

    The same event again changes nothing.
    """
    programme = programmes.at(session, now)
    today = now.astimezone(programme.zone).date()
    expires_at = programme.expires_at(now)
    done: list[Posted] = []
    for rule in programme.events:
        if rule.event is event and event is not Event.FIRST_ORDER:
            fact = Fact(
                key=_key(rule, customer_id, subject, today), now=now, reason=rule.id, programme=programme.version,
                actor=actor,
            )  # fmt: skip
            if not ledger.is_known(session, fact.key):
                terms = Terms(None, expires_at)
                done.append(ledger.earn(session, customer_id, rule.points, fact, rule.currency, terms))
    if done:
        stamps.fill(session, customer_id, now)
    return done


def birthdays(session: Session, after: int, most: int, now: datetime) -> int | None:
    """Give everybody whose birthday it is their points: customers behind this id; the next id, None at the end."""
    programme = programmes.at(session, now)
    if not any(rule.event is Event.BIRTHDAY for rule in programme.events):
        return None
    kept = days.kept_on(now.astimezone(programme.zone).date())
    found = [each.customer_id for each in moments.born_on(session, kept, Walk((now, after), now, most))]
    people.lock(session, found)
    for customer_id in found:
        give(session, customer_id, Event.BIRTHDAY, "", now)
    return found[-1] if len(found) == most else None


def _key(rule: EventRule, customer_id: int, subject: str, today: date) -> str:
    span = {Often.EVER: "", Often.YEAR: f"{today:%Y}", Often.MONTH: f"{today:%Y-%m}", Often.ALWAYS: subject}
    return f"{EVENT}{rule.id}:{customer_id}:{span[rule.often]}"
