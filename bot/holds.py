"""What a stopped template or a spent budget holds up: who waits, for which reason, who is told, and when it goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from bot import registry
from crm import broadcasts, templates
from crm.broadcasts import Pause
from crm.budget import Budget, Month
from crm.messages import TemplateUse
from crm.templates import Key, Status
from storage import alarms, spending
from storage import holds as rows

STOPPED = "template_stopped"
SPENT = "budget_spent"
WAITS_FOR = "template "
"""So the reason begins of what waits for one."""
LOOKS_AGAIN = timedelta(minutes=15)
"""How long a message waits for its template before it is judged anew, unless the template is usable earlier."""
OVER_BUDGET = "over the month's budget"
NOT_KNOWN = "it is not known here (yet): khachquen template sync asks the platform"


def key_of(channel: str, account_id: str, use: TemplateUse) -> Key:
    """What a message's template is called in the registry."""
    return channel, account_id, use.template_id, use.language


def held(key: Key, why: str) -> str:
    """The reason of a message that waits for this template."""
    return f"{_waits_for(key)}{why}"


class Ring(NamedTuple):
    """An alarm to raise: its kind, what it is about, and what people are told."""

    kind: str
    subject: str
    words: str


def of_template(key: Key, why: str) -> Ring:
    """Messages wait for a template."""
    channel, account_id, template_id, language = key
    name = f"{template_id} ({language})" if language else template_id
    words = (
        f"The template {name} of {channel} {account_id} cannot be used: {why}. Its messages wait; mend or replace it "
        "at the platform. khachquen template list shows how it stands."
    )
    return Ring(STOPPED, _subject(key), words)


def stop(session: Session, key: Key, why: str, now: datetime) -> None:
    """The platform refused a message because of its template: note that, ring, and read all of them anew later."""
    known = templates.find(session, key)
    if known is not None and known.is_usable:
        channel, account_id, template_id, language = key
        news = {"status": Status.STOPPED.value, "reason": why}
        templates.note(session, channel, account_id, template_id, language, now, **news)
    alarms.ring(session, *of_template(key, why), now)
    registry.queue(session, key[0], key[1], now, LOOKS_AGAIN)


def lift_templates(session: Session, now: datetime) -> None:
    """Let go on what waits for a template that is usable again; solve the alarms that nothing waits for any more."""
    for subject in alarms.subjects(session, STOPPED):
        key = _key(subject)
        waits = (session, *key[:2], _waits_for(key))
        known = templates.find(session, key)
        if known is not None and known.is_usable:
            rows.release(*waits, now)
        if not rows.is_held(*waits):
            alarms.solve(session, STOPPED, subject, now)


def of_budget(channel: str, account_id: str, budget: Budget, month: Month) -> Ring:
    """The month's budget of an account is used up."""
    words = (
        f"The budget of {month.name} for {channel} {account_id}, {budget.ceiling} đồng, leaves no room: care messages "
        "and broadcasts wait for the next month, or until MONTHLY_SEND_BUDGET is raised and the service restarted. "
        "Replies, staff's messages and transactions go on. khachquen cost shows what was spent."
    )
    return Ring(SPENT, f"{channel}:{account_id}:{month.name}", words)


def turn_month(session: Session, budget: Budget, now: datetime) -> None:
    """Solve the alarms of months that are over: their messages are due by themselves."""
    month = budget.month(now)
    over = {subject for subject in alarms.subjects(session, SPENT) if not subject.endswith(f":{month.name}")}
    alarms.solve_many(session, SPENT, over, now)


def lift_budget(session: Session, budget: Budget, now: datetime) -> None:
    """Let go on what waits for a budget that has room now; for the start of the service, with its new settings."""
    month, has_room = budget.month(now), False
    for subject in alarms.subjects(session, SPENT):
        channel, account_id, _ = subject.split(":", 2)
        spent = spending.spent(session, channel, account_id, month.start)
        if budget.ceiling is None or spent < budget.ceiling or not subject.endswith(f":{month.name}"):
            rows.release(session, channel, account_id, OVER_BUDGET, now)
            alarms.solve(session, SPENT, subject, now)
            has_room = True
    if has_room:
        broadcasts.look_again(session, Pause.BUDGET, now)


def _waits_for(key: Key) -> str:
    _, _, template_id, language = key
    return f"{WAITS_FOR}{template_id} {language}: " if language else f"{WAITS_FOR}{template_id}: "


def _subject(key: Key) -> str:
    return ":".join(key)


def _key(subject: str) -> Key:
    channel, account_id, rest = subject.split(":", 2)
    template_id, _, language = rest.rpartition(":")
    return channel, account_id, template_id, language
