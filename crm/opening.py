"""Opening balances out of a file of an older system: looked through first, loaded as one batch, taken back as one."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlmodel import Session

from crm import ledger, lots, posting, programmes
from crm.errors import Conflict, NotFound
from crm.ledger import FOREVER, MOST, SPEND, Fact, Kind
from crm.programme import Programme, midnight_after
from storage import adjustments as store
from storage import balances, lookup, members, postings
from storage import customers as people
from storage.adjustments import Batch as Batch
from storage.columns import new_id
from storage.postings import NewLot, Posting

COLUMNS = ("customer", "points", "expires", "reason")
"""The header of the file; the last two may be missing."""

_DEFAULT_REASON = "opening"
_HEADER = 1
"""The line of the header: those below it are loaded all or none, so that they are numbered without a gap."""


class Row(NamedTuple):
    """A line that can be loaded."""

    line: int
    customer: str
    points: int
    expires: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that cannot be loaded, and why."""

    line: int
    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A file as read. It is loaded whole or not at all."""

    digest: str
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]

    @property
    def points(self) -> int:
        """How many points it brings in all."""
        return sum(row.points for row in self.rows)


def read(text: str, today: date) -> Plan:
    """Read a CSV file with a header; never raises. Whether its customers are known is looked up by `missing`."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    problems = [
        Problem(1, name, "this column is missing") for name in COLUMNS[:2] if name not in (reader.fieldnames or ())
    ]
    problems += [
        Problem(1, name or "", "this column is not known") for name in reader.fieldnames or () if name not in COLUMNS
    ]
    rows: list[Row] = []
    if not problems:
        seen: set[str] = set()
        for number, cells in enumerate(reader, _HEADER + 1):
            row, wrong = _row(number, {key: (value or "").strip() for key, value in cells.items() if key}, today)
            if row is not None and row.customer in seen:
                wrong = [Problem(number, "customer", f"{row.customer!r} stands here a second time")]
            if row is not None:
                seen.add(row.customer)
            problems += wrong
            if row is not None and not wrong:
                rows.append(row)
        if not rows and not problems:
            problems.append(Problem(1, "", "there is no line below the header"))
    return Plan(hashlib.sha256(text.encode()).hexdigest(), tuple(rows), tuple(problems))


def missing(session: Session, rows: Sequence[Row]) -> list[Problem]:
    """Those of these lines whose customer we do not know."""
    known = lookup.ids_by_external(session, [row.customer for row in rows])
    return [
        Problem(row.line, "customer", f"there is no customer {row.customer!r}")
        for row in rows
        if row.customer not in known
    ]


def open_batch(session: Session, plan: Plan, name: str, actor: str, now: datetime) -> int:
    """Keep the batch; its id. One that was cut short goes on. Raises Conflict where the file is loaded whole."""
    row = {
        "id": new_id(), "digest": plan.digest, "name": name, "rows": len(plan.rows), "points": plan.points,
        "actor": actor, "created_at": now, "undone_at": None,
    }  # fmt: skip
    found, is_new = store.add_batch(session, row)
    if not is_new and ledger.is_known(session, _key(found.id, plan.rows[-1].line)):
        raise Conflict(
            f"Tệp này đã được nạp (lô {found.id}).", f"This file is loaded already, as batch {found.id}.", field="file"
        )
    return found.id


def load(session: Session, batch: int, rows: Sequence[Row], now: datetime, actor: str = "") -> None:
    """Give these lines' points. May be called again."""
    ids = lookup.ids_by_external(session, [row.customer for row in rows])
    owners = sorted(ids.values())
    people.lock(session, owners)
    members.join(session, owners, now)
    programme = programmes.at(session, now)
    debts = {customer: held.debt for customer, held in balances.holdings(session, owners, SPEND).items()}
    new = [_posting(batch, row, ids[row.customer], debts, programme, now, actor) for row in rows]
    postings.write(session, new)


def undo(session: Session, batch: int, after: int, most: int, now: datetime, actor: str = "") -> int | None:
    """Take back a batch's points, those of up to so many lines behind this one: from the very lots first, and what is
    spent already is owed. The last line of these, None at the end. May be called again. Raises NotFound."""
    last = find(session, batch).rows + _HEADER
    lines = range(max(after, _HEADER) + 1, last + 1)[:most]
    entries = store.loaded(session, [_key(batch, line) for line in lines])
    people.lock(session, sorted({entry.customer_id for entry in entries}))
    for entry in entries:
        fact = Fact(key=f"undo:{entry.source_key}", now=now, reason=_DEFAULT_REASON, actor=actor)
        ledger.take_back(session, entry.customer_id, entry.points, fact, reverses=entry.id)
    if lines and lines[-1] < last:
        return lines[-1]
    store.end_batch(session, batch, now)
    return None


def find(session: Session, batch: int) -> Batch:
    """One batch. Raises NotFound."""
    found = store.batch(session, batch)
    if found is None:
        raise NotFound("Không có lô này.", "There is no such batch.", field="batch")
    return found


def _posting(
    batch: int, row: Row, customer_id: int, debts: dict[int, int], programme: Programme, now: datetime, actor: str
) -> Posting:
    expires_at = midnight_after(row.expires, programme.zone) if row.expires else programme.expires_at(now)
    lot = NewLot(new_id(), row.points, None, False, now, expires_at)
    fact = Fact(key=_key(batch, row.line), now=now, reason=row.reason or _DEFAULT_REASON, actor=actor)
    uses = lots.repay([(lot.id, row.points)], debts.get(customer_id, 0)) if expires_at > now else []
    return posting.new(customer_id, SPEND, Kind.ADJUST, row.points, fact, new_lots=(lot,), uses=tuple(uses))


def _key(batch: int, line: int) -> str:
    return f"import:{batch}:{line}"


def _row(number: int, cells: dict[str, str], today: date) -> tuple[Row | None, list[Problem]]:
    wrong: list[Problem] = []
    if not 0 < len(cells["customer"]) <= 128:
        wrong.append(Problem(number, "customer", "must be an id of 1 to 128 characters"))
    points = cells["points"]
    if not (points.isascii() and points.isdecimal() and 0 < int(points) <= MOST):
        wrong.append(Problem(number, "points", f"must be a whole number from 1 to {MOST}"))
    expires: date | None = None
    if cells.get("expires"):
        try:
            expires = date.fromisoformat(cells["expires"])
        except ValueError:
            wrong.append(Problem(number, "expires", "must be a day such as 2027-12-31"))
        if expires is not None and not today <= expires < FOREVER.date():
            wrong.append(Problem(number, "expires", "is over already, or too far away"))
    if wrong:
        return None, wrong
    return Row(number, cells["customer"], int(points), expires, cells.get("reason", "")[:300]), []
