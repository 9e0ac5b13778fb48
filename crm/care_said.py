"""What a care message says to one person: the rule's text in their language, and what stands in its gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlmodel import Session

from crm import care_checks, care_enrolment, care_walks, orders, programmes
from crm.care_checks import Meant
from crm.care_rules import Cycle, Press, Rule
from crm.content import ByTemplate, Content
from crm.ledger import SPEND
from crm.messages import Button, ButtonKind
from crm.segments import AsOf
from crm.wording import Values
from storage import balances, members
from storage import orders as order_rows


@lru_cache(maxsize=256)
def content(rule: Rule, locale: str) -> Content:
    """What a rule says to who reads this language; the Vietnamese text where it has no other."""
    said = rule.text.of(locale) or rule.text.vi
    templates = tuple(ByTemplate(each.channel, "", each.id, each.language, each.values) for each in rule.templates)
    return Content(said.strip(), "", tuple(_button(each, locale) for each in rule.buttons), templates, locale)


def values(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf, shop: Mapping[str, str]) -> dict[int, Values]:
    """What is known for the gaps, by the message's id: of the person, the shop, and what the moment is about."""
    owners = {row.customer_id for row in rows}
    points = balances.holdings(session, sorted(owners), SPEND)
    about = _of_orders if rule.moment.is_order else _ABOUT.get(rule.moment.value, _of_nothing)
    more = about(session, rule, rows, at)
    return {
        row.id: {
            "khach": {"ten": row.name, "diem": points[row.customer_id].balance if row.customer_id in points else 0},
            "shop": shop,
            **more.get(row.id, {}),
        }
        for row in rows
    }


def _of_nothing(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> dict[int, Values]:
    return {}


def _of_orders(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> dict[int, Values]:
    known = order_rows.some(session, {care_checks.about(row) for row in rows})
    cycles = {cycle.id: cycle for cycle in rule.cycles}
    found: dict[int, Values] = {}
    for row in rows:
        order = known[care_checks.about(row)]
        told: dict[str, Mapping[str, str | int]] = {
            "don": {"ma": order.code, "tong": order.total, "ngay": _day(order.placed_at, at.zone)}
        }
        if rule.cycles:
            told["san_pham"] = {"ten": _product(orders.items(order), cycles[row.subject.rpartition(":")[2]])}
        found[row.id] = told
    return found


def _product(items: Sequence[orders.Item], cycle: Cycle) -> str:
    """The name of the first that the cycle is about."""
    return next((item.name for item in items if care_enrolment.sold(cycle, [item])), "")


def _of_points(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> dict[int, Values]:
    return {
        row.id: {
            "diem": {
                "so": care_checks.expiring(session, row),
                "ngay": f"{care_walks.last_day(row.happened_at, at.zone):%d/%m/%Y}",
            }
        }
        for row in rows
    }


def _of_tiers(session: Session, rule: Rule, rows: Sequence[Meant], at: AsOf) -> dict[int, Values]:
    levels = {tier.code: tier for tier in programmes.at(session, at.now).tiers.levels}
    reached = members.tiers_after(session, {care_checks.about(row) for row in rows})
    return {
        row.id: {"hang": {"ten": tier.name(row.locale or at.locale)}}
        for row in rows
        if (tier := levels.get(reached.get(care_checks.about(row), ""))) is not None
    }


_ABOUT = {"points_expire": _of_points, "tier_reached": _of_tiers}


def _button(press: Press, locale: str) -> Button:
    if press.value.startswith("kq:"):
        kind = ButtonKind.REPLY
    else:
        kind = ButtonKind.URL if press.value.startswith("https://") else ButtonKind.PHONE
    return Button(press.title.of(locale) or press.title.vi, press.value, kind)


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d/%m/%Y}"
