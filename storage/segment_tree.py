"""Conditions on customers as inert trees: facts, joined by all, some and no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

L = TypeVar("L")
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class All(Generic[L]):
    """True where every part is."""

    parts: tuple[Tree[L], ...]


@dataclass(frozen=True, slots=True)
class Some(Generic[L]):
    """True where one part is, at least."""

    parts: tuple[Tree[L], ...]


@dataclass(frozen=True, slots=True)
class No(Generic[L]):
    """True where its part is not."""

    part: Tree[L]


Tree: TypeAlias = L | All[L] | Some[L] | No[L]


def mapped(tree: Tree[L], meaning: Callable[[L], Tree[M]]) -> Tree[M]:
    """The same tree with other leaves, each of which may become a tree."""
    match tree:
        case All(parts):
            return All(tuple(mapped(part, meaning) for part in parts))
        case Some(parts):
            return Some(tuple(mapped(part, meaning) for part in parts))
        case No(part):
            return No(mapped(part, meaning))
        case leaf:
            return meaning(leaf)


def leaves(tree: Tree[L]) -> Iterator[L]:
    """Its leaves, from left to right."""
    match tree:
        case All(parts) | Some(parts):
            for part in parts:
                yield from leaves(part)
        case No(part):
            yield from leaves(part)
        case leaf:
            yield leaf


class About(StrEnum):
    """What a fact is about."""

    TAG = "tag"
    FIELD = "field"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    LOCALE = "locale"
    AGREED = "agreed"
    REFUSED = "refused"
    BIRTHDAY = "birthday"
    BIRTH_MONTH = "birth_month"
    CREATED = "created"
    ORDERED = "ordered"
    ORDERS = "orders"
    BOUGHT = "bought"
    SPENT = "spent"
    POINTS = "points"
    EXPIRING = "expiring"
    STAMPS = "stamps"
    VOUCHER = "voucher"
    TIER = "tier"
    TICKETS = "tickets"
    WROTE = "wrote"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so of a customer or not, with nothing left to look up.

    A number of theirs is compared with `number` by `op`; what happened did so from `since` on and before `until` (None:
    no bound); `words` are those of which one must be theirs. `key` is the id of a custom field. `op` "" with nothing
    else asks whether anything is there.
    """

    about: About
    op: str = ""
    number: float = 0
    words: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    key: int = 0
