"""What a rule, and those that follow it, will do for one customer until a day: the clock is driven, nothing is written.

The same functions decide as when messages go out; what the customer will do meanwhile nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from crm import care, care_checks, care_enrolment, care_said, care_walks, consent, content
from crm.care import Known
from crm.care_checks import Meant
from crm.care_enrolment import Subject
from crm.care_rules import Moment, Rule
from crm.choice import Option, best
from crm.consent import Standing
from crm.content import Content
from crm.errors import Invalid
from crm.lawful import LawfulHours
from crm.messages import Message, Purpose
from crm.reach import ReachFacts, Rules, reach
from crm.segments import AsOf
from crm.templates import Tag, Terms
from crm.verdicts import Held, Why, ways
from storage import care as store
from storage import care_recipients, customers, turns
from storage.care import OFF, ON
from storage.moments import Happened
from storage.recipients import PENDING

MOST = 200
"""So many moments of a rule are looked at."""
A_YEAR = timedelta(days=366)
PLANNED = "planned"
LOOKS = 40
"""How often a message is put off before nothing more is told of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a timeline: when it goes out, or (with a reason) when it is given up, and what it says.

    `state` is what became of it, where that is over: see `storage.recipients`; `planned` where it is to come.
    """

    rule: str
    subject: str
    happened_at: datetime
    at: datetime
    state: str = PLANNED
    reason: str = ""
    message: Message | None = None

    @property
    def goes(self) -> bool:
        """Whether it will go out."""
        return self.state == PLANNED and not self.reason


@dataclass(frozen=True, slots=True)
class Driven:
    """What a timeline is made with: from now until when, the shop's hours and words; `at` has the channels' rules."""

    now: datetime
    until: datetime
    hours: LawfulHours
    at: AsOf
    shop: Mapping[str, str]


def until(asked: datetime | None, now: datetime) -> datetime:
    """How far a timeline goes: to the moment that was asked for, else a year. Raises Invalid for one that is past."""
    if asked is not None and asked <= now:
        raise Invalid("until", "Ngày này đã qua: chọn một ngày sắp tới.", "This is over: name a day to come.")
    return asked or now + A_YEAR


def timeline(session: Session, name: str, customer_id: int, driven: Driven) -> list[Step]:
    """What was and what will be, in order. A rule that is off is looked at as if it were turned on now.

    Raises NotFound for a rule that is none.
    """
    rules = care.everything(session)
    root = care.named(session, name)
    found = list(_steps(session, root, rules, customer_id, driven, None))
    return sorted(found, key=lambda step: (step.at, step.rule))


def upcoming(session: Session, customer_id: int, driven: Driven) -> list[Step]:
    """What the rules that are on, and those that follow them, will do, in order; what was is left out."""
    rules = care.everything(session)
    roots = [each for each in rules if each.state == ON and not each.rule.after]
    found = [step for each in roots for step in _steps(session, each, rules, customer_id, driven, None)]
    return sorted((step for step in found if step.state == PLANNED), key=lambda step: (step.at, step.rule))


def _steps(
    session: Session, known: Known, rules: list[Known], customer_id: int, driven: Driven, sent: Happened | None
) -> Iterator[Step]:
    followers = [each for each in rules if each.rule.after == known.rule.name]
    for step in _own(session, known, customer_id, driven, sent):
        yield step
        if step.goes:
            after = Happened(customer_id, step.at, care_checks.FORETOLD, "", (step.at, 0))
            for each in followers:
                yield from _steps(session, each, rules, customer_id, driven, after)
    if sent is None:
        for each in followers:
            yield from _known(session, each, customer_id, driven)


def _own(session: Session, known: Known, customer_id: int, driven: Driven, sent: Happened | None) -> Iterator[Step]:
    """The messages of one rule: those that are enrolled, and those that its moments will bring."""
    if sent is not None:
        seen: set[str] = set()
        found = [sent]
    else:
        enrolled = list(_known(session, known, customer_id, driven))
        yield from enrolled
        seen = {step.subject for step in enrolled}
        found = _moments(session, known, customer_id, driven)
    for each in care_enrolment.subjects(session, known.rule, found, driven.at.zone):
        if each.key not in seen and care_enrolment.counts(known.rule, _since(known, driven), each):
            seen.add(each.key)
            due = max(driven.hours.next_moment(each.meant_at), driven.now)
            if due <= driven.until:
                yield _decided(session, known.rule, customer_id, each, due, driven)


def _known(session: Session, known: Known, customer_id: int, driven: Driven) -> Iterator[Step]:
    """Those that are enrolled already, over or to come."""
    for row in care_recipients.of_customer(session, store.ids_of(session, known.rule.name), customer_id):
        if row.state != PENDING:
            yield Step(known.rule.name, row.subject, row.happened_at, row.sent_at or row.due_at, row.state, row.reason)
        elif row.due_at <= driven.until:
            subject = Subject(customer_id, row.subject, row.happened_at, row.meant_at)
            rule = care.of_version(session, row.care_rule_id)
            yield _decided(session, rule, customer_id, subject, max(row.due_at, driven.now), driven)


def _moments(session: Session, known: Known, customer_id: int, driven: Driven) -> list[Happened]:
    if known.rule.moment is Moment.SENT:
        return []
    since, _ = care_walks.beginning(known.rule, _since(known, driven), driven.at.zone)
    return care_walks.of_customer(session, known.rule, customer_id, since, driven.until, driven.at.zone, MOST)


def _since(known: Known, driven: Driven) -> datetime:
    return known.standing.since if known.standing and known.standing.state != OFF else driven.now


def _decided(session: Session, rule: Rule, customer_id: int, subject: Subject, due: datetime, driven: Driven) -> Step:
    """Look at a message at its time, and again as long as it is put off."""
    name, locale = _called(session, customer_id)
    row = Meant(
        0, 0, customer_id, subject.key, subject.happened_at, subject.meant_at, subject.meant_at, name,
        locale,
    )  # fmt: skip
    at = due
    for _ in range(LOOKS):
        row = row._replace(due_at=at)
        ended = care_checks.checked(session, rule, [row], replace(driven.at, now=at)).get(0)
        if not isinstance(ended, Held):
            break
        at = driven.hours.next_moment(ended.until)
    reason = ended if isinstance(ended, str) else ""
    said = care_said.content(rule, locale or driven.at.locale)
    reason = reason or _refusal(session, customer_id, said, replace(driven.at, now=at))
    message = None
    if not reason:
        values = care_said.values(session, rule, [row], replace(driven.at, now=at), driven.shop)[0]
        message = content.message(said, content.text(said, Purpose.CARE, values))
    return Step(rule.name, subject.key, subject.happened_at, at, PLANNED, reason, message)


def _refusal(session: Session, customer_id: int, said: Content, at: AsOf) -> str:
    """Why the platforms' rules or the customer's own word would not let it go out; "" where they would."""
    options = []
    for place in turns.places(session, [customer_id], at.now).get(customer_id, ()):
        stands = consent.standing(session, [customer_id], Purpose.CARE, place.channel)[customer_id]
        for template in ways(said, place):
            facts = ReachFacts(
                Purpose.CARE, place.last_interaction_at, at.now, consented=stands is Standing.GRANTED,
                opted_out=stands is Standing.WITHDRAWN, unreachable=place.unreachable_since is not None,
                template=Terms(Tag.CARE) if template else None,
            )  # fmt: skip
            answer = reach(at.rules.get(place.channel, Rules(())), facts)
            options.append(Option(place.identity_id, place.last_interaction_at, template, answer))
    found = best(options)
    if found is None:
        return Why.NO_PLACE
    return found.reach.refusal.value if found.reach.refusal else ""


def _called(session: Session, customer_id: int) -> tuple[str, str]:
    """A customer's name and language."""
    found = customers.profile(session, customer_id)
    return (found.name, "") if found else ("", "")
