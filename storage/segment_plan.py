"""How members are looked for: whether a condition is true of a customer, and where to begin when all are asked for.

SQLite would look at every customer, and PostgreSQL add up every customer's orders one by one. So the customers whom a
part of the condition names are looked up as a whole first, by the part that names the fewest.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, not_, or_, select, true, union
from sqlmodel import Session

from storage.customers import Customer, is_served
from storage.segment_facts import Rows, found
from storage.segment_tree import About, All, Fact, No, Some, Tree

_customer = Customer.__table__  # type: ignore[attr-defined]

Condition = Tree[Fact]
SERVED = (_customer.c.merged_into.is_(None), is_served(_customer.c.id))
"""Staff, and who was joined to another, are no customers."""
_COUNTED = 50_000
"""So many rows of an index are counted, to see which part names the fewest."""
_BY_INDEX = frozenset({About.TAG, About.TIER})


class _Start(NamedTuple):
    """A statement that names at least all who are meant, and about how many rows it reads."""

    owners: Select[int]
    size: int


def members(session: Session, condition: Condition) -> Select[int]:
    """The ids of all customers of whom this is true, begun where the fewest are named."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    starts = [(start, part) for part in parts if (start := _start(session, part)) is not None]
    if not starts:
        return select(_customer.c.id).where(*SERVED, test(condition))
    best, begun = min(starts, key=lambda each: each[0].size)
    others = [test(part) for part in parts if part is not begun]
    return select(_customer.c.id).where(_customer.c.id.in_(best.owners), *SERVED, *others)


def test(tree: Condition) -> ColumnElement[bool]:
    """Whether it is true of the customer whose row is looked at; never unknown."""
    match tree:
        case All(parts):
            return and_(true(), *map(test, parts))
        case Some(parts):
            return or_(false(), *map(test, parts))
        case No(part):
            return not_(test(part))
        case Fact():
            source = found(tree)
            return source.of(_customer.c.id) if isinstance(source, Rows) else source
    raise TypeError(tree)


def _start(session: Session, tree: Condition) -> _Start | None:
    """Exactly those of whom a fact is true that stands in rows of theirs, or one of several such facts; else None."""
    if isinstance(tree, Some) and tree.parts:
        starts = [_start(session, part) for part in tree.parts]
        known = [start for start in starts if start is not None]
        if len(known) == len(starts):
            every = union(*(start.owners for start in known)).subquery()
            return _Start(select(every.c[0]), sum(start.size for start in known))
        return None
    source = found(tree) if isinstance(tree, Fact) else None
    if not isinstance(source, Rows) or source.is_none:
        return None
    assert isinstance(tree, Fact)
    return _Start(source.owners(), _size(session, tree, source))


def _size(session: Session, fact: Fact, source: Rows) -> int:
    """How many rows of an index are read; what has no index to itself is read as a whole."""
    is_recent = fact.about is About.ORDERED and fact.since is not None and not fact.words
    if source.having is not None:
        return 3 * _COUNTED
    if fact.about not in _BY_INDEX and not is_recent:
        return 2 * _COUNTED
    some = select(literal(1)).where(*source.where).limit(_COUNTED).subquery()
    return int(session.connection().execute(select(func.count()).select_from(some)).scalar_one())
