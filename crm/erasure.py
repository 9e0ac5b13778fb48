"""Erasing a person: nothing that tells who they were is left, and what accounts need stays without a name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session

from crm import consent, ledger, phones, privacy, suppression
from crm.errors import Conflict, NotFound
from crm.ledger import SPEND, STAMP, Fact, Kind
from storage import alarms, customers, drawings, personal, served
from storage import privacy as store
from storage.customers import Person, Profile
from storage.personal import Whose
from storage.privacy import Certificate

_SHORTEST_CODE = 6
"""A code of the POS that is shorter stands in too many words to be looked for."""
_DRAWN_AT_ONCE = 10_000


def erase(
    session: Session, customer_id: int, *, secret_key: str, now: datetime, by: str, request_id: int | None = None
) -> Certificate:
    """Erase a customer and all who became them. Cannot be undone.

    Names, numbers, ids on channels, words, pictures, notes, fields and raw events go; orders, points, tickets and
    consent stay as figures without a person. Points are burned. Keyed hashes keep them from being brought back into
    marketing by others. Raises NotFound, and Conflict for staff and for somebody whose message is being sent.
    """
    profile = _who(session, customer_id)
    customers.lock(session, [profile.id])
    whose = personal.whose(session, profile.id)
    chats = [each for each in (customers.person(session, key) for key in whose.identities) if each is not None]
    profiles = [each for each in (customers.profile(session, key) for key in whose.customers) if each is not None]
    if any(each.staff_id is not None for each in chats) or not served.serves(session, profile.id):
        raise Conflict("Đây là nhân viên, không phải khách.", "This is a member of staff, and no customer.")
    numbers = _numbers(profiles, chats)
    for number in numbers or [""]:
        suppression.remember(session, secret_key, suppression.marks(number or None, chats), now)
    consent.stop(session, profile.id, at=now, wording="erasure")
    _burn_points(session, whose, now, by)
    touched = personal.forget(session, whose, now)
    exact, names = _marks(profiles, chats, numbers)
    personal.forget_mentions(session, exact, names)
    drawings.purge(session, now, _DRAWN_AT_ONCE)
    for key in whose.identities:
        alarms.solve_all(session, str(key), now)
    row = {"customer_id": profile.id, "request_id": request_id, "at": now, "actor": by, "touched": json.dumps(touched)}
    store.certify(session, row)
    found = store.certificate(session, profile.id)
    assert found is not None
    return found


def carry_out(session: Session, number: int, *, secret_key: str, now: datetime, by: str) -> Certificate:
    """Erase who asked for it, and end all their requests. Raises Conflict where it is no open request to erase."""
    request = privacy.find(session, number)
    if request.kind != privacy.Kind.ERASE or request.state != privacy.OPEN:
        raise Conflict(
            f"Yêu cầu {number} không phải yêu cầu xóa đang chờ.", f"The request {number} is no open one to erase."
        )
    done = erase(session, request.customer_id, secret_key=secret_key, now=now, by=by, request_id=number)
    privacy.end_all(session, request.customer_id, now, by)
    return done


def _who(session: Session, customer_id: int) -> Profile:
    found = customers.profile(session, customer_id)
    while found is not None and found.merged_into is not None:
        found = customers.profile(session, found.merged_into)
    if found is None:
        raise NotFound("Không có khách hàng này.", "There is no such customer.")
    return found


def _burn_points(session: Session, whose: Whose, now: datetime, by: str) -> None:
    for customer_id in sorted(whose.customers):
        for currency in (SPEND, STAMP):
            ledger.catch_up(session, customer_id, now, currency)
            left = ledger.holding(session, customer_id, currency).spendable
            if left > 0:
                fact = Fact(key=f"erase:{customer_id}:{currency}", now=now, reason="erasure", actor=by)
                ledger.redeem(session, customer_id, left, fact, currency, Kind.ADJUST)


def _numbers(profiles: Iterable[Profile], chats: Iterable[Person]) -> list[str]:
    found = {each.phone for each in profiles} | {phones.number_at(each.user_id) for each in chats}
    return sorted(number for number in found if number)


def _marks(profiles: Sequence[Profile], chats: Sequence[Person], numbers: Iterable[str]) -> tuple[set[str], set[str]]:
    """What stands for nobody else wherever it is read; and whole names, which others may share."""
    exact = {
        form for number in numbers for form in (number, number.removeprefix("+"), f"0{number.removeprefix('+84')}")
    }
    exact |= {each.user_id for each in chats} | {each.email for each in profiles if each.email}
    exact |= {each.external_id for each in profiles if each.external_id and len(each.external_id) >= _SHORTEST_CODE}
    names = {each.name for each in profiles} | {each.identity_name for each in chats}
    return exact, {name for name in names if len(name.split()) > 1}
