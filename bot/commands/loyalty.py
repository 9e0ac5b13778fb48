"""`khachquen loyalty`: what a customer holds and why, points given or taken by hand, and the ledger counted anew."""

from __future__ import annotations

import secrets
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.commands.report import Refused, Report, shown, stamp, table
from bot.service import shop_of
from bot.settings import Settings
from bot.staff import second
from bot.templates import Templates
from crm import adjustments, audit, customers, ledger, loyalty, orders, staff
from crm.adjustments import WAITING, Adjustment
from crm.ledger import SPEND, Entry, Fact
from storage import ledger_check
from storage.database import Database

SURFACE = "cli"
"""Where what these commands do was said."""
_LOOKED_AT = 50


async def run(arguments: Namespace, database: Database, settings: Settings, now: datetime) -> Report:
    """Show, explain, adjust, decide, freeze or check. Raises CrmError and Refused."""
    read: dict[str, Callable[[Session, Namespace, ZoneInfo, datetime], Report]] = {
        "show": _show, "explain": _explain, "adjustments": _waiting, "check": _check,
    }  # fmt: skip
    write = {"approve": _decide, "refuse": _decide, "freeze": _freeze, "unfreeze": _freeze}
    action = arguments.action
    if action in read:
        return await database.read(partial(_called, do=read[action], arguments=arguments, settings=settings, now=now))
    if action == "adjust":
        adjusting = partial(_adjust, arguments=arguments, settings=settings, now=now)
        return await database.write(adjusting, name="loyalty.adjust")
    change = partial(_called, do=write[action], arguments=arguments, settings=settings, now=now)
    return await database.write(change, name=f"loyalty.{action}")


def _called(
    session: Session,
    do: Callable[[Session, Namespace, ZoneInfo, datetime], Report],
    arguments: Namespace,
    settings: Settings,
    now: datetime,
) -> Report:
    return do(session, arguments, settings.timezone, now)


def _show(session: Session, arguments: Namespace, zone: ZoneInfo, now: datetime) -> Report:
    profile = customers.find(session, arguments.customer)
    card = loyalty.card(session, profile.id, now)
    entries = loyalty.history(session, profile.id, max(1, arguments.most))
    tier = card.standing.tier
    data = {
        "customer": arguments.customer, "balance": card.balance, "spendable": card.spendable, "reserved": card.held,
        "owed": card.debt, "frozen": card.frozen, "tier": tier.code if tier else None,
        "missing_to_next": card.standing.missing_to_next, "missing_to_keep": card.standing.missing_to_keep,
        "waiting": [{"points": each.points, "at": stamp(each.at, zone)} for each in card.waiting],
        "expiring": {"points": card.expiring.points, "at": stamp(card.expiring.at, zone)} if card.expiring else None,
        "entries": [_plain(entry, zone) for entry in entries],
    }  # fmt: skip
    head = [f"{profile.name or arguments.customer}: {card.spendable} points to spend, {card.balance} in all"]
    head += [f"  {card.held} set aside"] if card.held else []
    head += [
        f"  waiting {each.points}, from {shown(each.at, zone) if each.at else 'delivery on'}" for each in card.waiting
    ]
    if card.expiring and card.expiring.at:
        head.append(f"  {card.expiring.points} expire on {shown(card.expiring.at, zone)}")
    head += [words for words, so in ((f"  owes {card.debt}", card.debt), ("  FROZEN", card.frozen)) if so]
    head += [f"  tier {tier.en}"] if tier else []
    return Report(data, [*head, *table([_row(entry, zone) for entry in entries], "  no entry yet")])


def _explain(session: Session, arguments: Namespace, zone: ZoneInfo, now: datetime) -> Report:
    found = orders.with_code(session, arguments.order, _LOOKED_AT)
    found = [order for order in found if arguments.source in (None, order.source)]
    if len(found) != 1:
        raise Refused(
            f"there is no order {arguments.order!r}" if not found
            else "several orders have this code: add --source " + " or ".join(sorted({each.source for each in found}))
        )  # fmt: skip
    reckoning, entries = loyalty.explain(session, found[0])
    data = {
        "source": found[0].source, "order": found[0].external_id, "status": found[0].status,
        "programme": reckoning.programme.version, "total": reckoning.purchase.total, "earns": reckoning.earns,
        "points": reckoning.due.get(SPEND, 0),
        "steps": [
            {"rule": step.rule, "points": step.points, "currency": step.currency, "why": step.why}
            for step in reckoning.evaluation.steps
        ],
        "entries": [_plain(entry, zone) for entry in entries],
    }  # fmt: skip
    steps = [
        (step.rule, f"{step.points:+}" if step.fired else "–", step.why.replace("_", " "), step.en)
        for step in reckoning.evaluation.steps
    ]
    state = f"{found[0].status}, {reckoning.purchase.total}đ after refunds"
    held = sum(entry.points for entry in entries)
    end = f"= {reckoning.due.get(SPEND, 0)} points; the ledger holds {held}"
    return Report(data, [state, *table(steps, "no rule"), end, *table([_row(entry, zone) for entry in entries], "")])


def _adjust(session: Session, arguments: Namespace, settings: Settings, now: datetime) -> Report:
    customer = customers.find(session, arguments.customer)
    key, actor = arguments.key or secrets.token_hex(8), staff.one_actor(session, arguments.by, SURFACE)
    fact = Fact(key=key, now=now, reason=" ".join(arguments.reason), actor=actor)
    done = adjustments.adjust(session, customer.id, arguments.points, fact)
    if done.posted is not None:
        if not done.repeated:
            _note(session, "points", actor, customer.id, f"{arguments.points:+d}", now)
        spendable = loyalty.card(session, customer.id, now).spendable
        data = {"posted": done.posted.entry_id, "spendable": spendable, "waiting": None}
        return Report(data, [f"Done: {spendable} points to spend."])
    asked = done.waiting
    assert asked is not None
    if asked.state != WAITING:
        return Report({"posted": asked.entry_id, "waiting": None}, [f"{asked.id} is {asked.state}."])
    lines = [f"It waits for a second person: khachquen loyalty approve {asked.id} --as NAME"]
    if not done.repeated:
        _note(session, "points.ask", actor, customer.id, f"{arguments.points:+d} #{asked.id}", now)
        templates = Templates(settings.timezone, shop_of(settings))
        name = customer.name or arguments.customer
        told = second.call(session, templates, settings.locale, asked, name, arguments.by, now)
        lines.append(f"Told in their chats: {told}." if told else "Nobody of the staff may approve it in a chat.")
    return Report({"posted": None, "waiting": asked.id}, lines)


def _decide(session: Session, arguments: Namespace, zone: ZoneInfo, now: datetime) -> Report:
    decide = adjustments.approve if arguments.action == "approve" else adjustments.refuse
    actor = staff.one_actor(session, arguments.by, SURFACE)
    found = decide(session, arguments.number, actor, now)
    _note(session, f"points.{arguments.action}", actor, found.customer_id, f"#{found.id}", now)
    return Report(_waits(found, zone), [f"{found.id} is {found.state}."])


def _waiting(session: Session, arguments: Namespace, zone: ZoneInfo, now: datetime) -> Report:
    found = adjustments.waiting(session)
    names = customers.external_ids(session, {each.customer_id for each in found})
    rows = [
        (str(each.id), names.get(each.customer_id, ""), f"{each.points:+}", each.asked_by, each.reason)
        for each in found
    ]
    return Report([_waits(each, zone) for each in found], table(rows, "No adjustment waits."))


def _freeze(session: Session, arguments: Namespace, zone: ZoneInfo, now: datetime) -> Report:
    customer = customers.find(session, arguments.customer).id
    if arguments.action == "freeze":
        ledger.freeze(session, customer, " ".join(arguments.reason), now)
    else:
        loyalty.unfreeze(session, customer, now)
    _note(session, f"points.{arguments.action}", staff.one_actor(session, arguments.by, SURFACE), customer, "", now)
    frozen = arguments.action == "freeze"
    return Report({"customer": arguments.customer, "frozen": frozen}, ["Frozen." if frozen else "Free again."])


def _check(session: Session, arguments: Namespace, zone: ZoneInfo, now: datetime) -> Report:
    found = ledger_check.faults(session)
    names = customers.external_ids(session, {each.customer_id for each in found})
    rows = [
        (each.what, names.get(each.customer_id, f"id {each.customer_id}"), each.currency, f"{each.kept} kept",
         f"{each.counted} counted")
        for each in found
    ]  # fmt: skip
    return Report([each._asdict() for each in found], table(rows, "Every sum agrees."), ok=not found)


def _note(session: Session, action: str, actor: str, customer: int, details: str, now: datetime) -> None:
    audit.by(session, actor, SURFACE, action, now, subject="customer", subject_id=customer, details=details)


def _waits(each: Adjustment, zone: ZoneInfo) -> dict[str, object]:
    return {
        "adjustment": each.id, "points": each.points, "reason": each.reason, "asked_by": each.asked_by,
        "asked_at": stamp(each.asked_at, zone), "state": each.state, "decided_by": each.decided_by,
    }  # fmt: skip


def _plain(entry: Entry, zone: ZoneInfo) -> dict[str, object]:
    return {
        "id": entry.id, "kind": entry.kind, "points": entry.points, "reason": entry.reason, "actor": entry.actor,
        "at": stamp(entry.at, zone),
    }  # fmt: skip


def _row(entry: Entry, zone: ZoneInfo) -> tuple[str, ...]:
    return f"  {shown(entry.at, zone)}", f"{entry.points:+}", entry.kind, entry.reason, entry.actor
