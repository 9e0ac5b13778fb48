"""How members are looked for: whether a condition is true of a customer, and where to begin when all are asked for.

SQLite would look at every customer, and PostgreSQL add up every customer's orders one by one. So the customers whom a
part of the condition names are looked up as a whole first, by the part that names the fewest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, not_, or_, select, true, union
from sqlmodel import Session

from storage.customers import Customer
from storage.segment_facts import Rows, found
from storage.segment_tree import About, All, Fact, No, Some, Tree
from storage.served import is_served

_customer = Customer.__table__  # type: ignore[attr-defined]

Condition = Tree[Fact]
SERVED = (_customer.c.merged_into.is_(None), is_served(_customer.c.id))
"""Staff, and who was joined to another, are no customers."""
_COUNTED = 50_000
"""So many rows of an index are counted, to see which part names the fewest."""
_MANY = 2 * _COUNTED
_WHOLE = 4 * _COUNTED
"""Of so many it costs no less to look at every customer."""
_OF_CUSTOMERS = frozenset({About.CREATED, About.BIRTHDAY, About.BIRTH_MONTH})
"""What stands in a customer's own row and has an index."""
_BY_INDEX = frozenset({About.TAG, About.TIER})


class _Start(NamedTuple):
    """A statement that names who is meant, and about how many rows it reads."""

    owners: Select[int]
    size: int


class _Begun(NamedTuple):
    """Where to begin, and what is asked of those who are named there."""

    start: _Start
    others: Sequence[Condition]


def members(session: Session, condition: Condition) -> Select[int]:
    """The ids of all customers of whom this is true, begun where the fewest are named."""
    begun = _begun(session, condition.parts if isinstance(condition, All) else (condition,))
    if begun is None or begun.start.size >= _WHOLE:
        return select(_customer.c.id).where(*SERVED, test(condition))
    return select(_customer.c.id).where(*_all_of(begun), *SERVED)


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


def _begun(session: Session, parts: Sequence[Condition]) -> _Begun | None:
    """Parts that must all be true, begun with the one that names the fewest; None where none names anybody."""
    starts = [(start, part) for part in parts if (start := _start(session, part)) is not None]
    if not starts:
        return None
    best, begun = min(starts, key=lambda each: each[0].size)
    return _Begun(best, [part for part in parts if part is not begun])


def _all_of(begun: _Begun) -> Sequence[ColumnElement[bool]]:
    """Those who are named at the start and of whom the rest is true.

    Where many are named, what must be added up is added up once for everybody: PostgreSQL would do it one by one.
    """
    sources = [found(part) if isinstance(part, Fact) else None for part in begun.others]
    tests = [
        _customer.c.id.in_(source.owners())
        if isinstance(source, Rows) and source.having is not None and not source.is_none and begun.start.size >= _MANY
        else test(part)
        for part, source in zip(begun.others, sources, strict=True)
    ]
    return [_customer.c.id.in_(begun.start.owners), *tests]


def _start(session: Session, tree: Condition) -> _Start | None:
    """Exactly those of whom a part is true: by rows of theirs, by an index of customers, or by several of these."""
    match tree:
        case Some(parts) if parts:
            starts = [_start(session, part) for part in parts]
            known = [start for start in starts if start is not None]
            if len(known) < len(starts):
                return None
            every = union(*(start.owners for start in known)).subquery()
            return _Start(select(every.c[0]), sum(start.size for start in known))
        case All(parts):
            begun = _begun(session, parts)
            if begun is None:
                return None
            return _Start(_those(*_all_of(begun)), begun.start.size)
        case Fact():
            source = found(tree)
            if isinstance(source, Rows):
                return None if source.is_none else _Start(source.owners(), _size(session, tree, source))
            if tree.about in _OF_CUSTOMERS and (tree.since or tree.until or tree.words):
                return _Start(_those(source), _size_of_column(session, tree, source))
    return None


def _those(*conditions: ColumnElement[bool]) -> Select[int]:
    """Customers by themselves, whatever else is selected around them."""
    return select(_customer.c.id).where(*conditions).correlate(None)


def _size(session: Session, fact: Fact, source: Rows) -> int:
    """How many rows of an index are read; what has no index to itself is read as a whole."""
    is_recent = fact.about is About.ORDERED and fact.since is not None and not fact.words
    if source.having is not None:
        return 3 * _COUNTED
    if fact.about not in _BY_INDEX and not is_recent:
        return _MANY
    return _counted(session, select(literal(1)).where(*source.where))


def _size_of_column(session: Session, fact: Fact, source: ColumnElement[bool]) -> int:
    """Birthdays are looked through as a whole, in their index; so many new customers are no start worth having."""
    if fact.about is not About.CREATED:
        return _MANY
    few = _counted(session, select(literal(1)).where(source))
    return few if few < _COUNTED else _WHOLE


def _counted(session: Session, rows: Select[int]) -> int:
    some = rows.limit(_COUNTED).subquery()
    return int(session.connection().execute(select(func.count()).select_from(some)).scalar_one())
