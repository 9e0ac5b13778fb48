"""What became of a rule's messages: how many wait, went out or did not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlmodel import Session

from storage import care as store
from storage import care_recipients
from storage.care_recipients import REACHED
from storage.recipients import OPEN, Tally


class Counts(NamedTuple):
    """How many of a rule's messages wait, may have reached somebody, and did not go out."""

    waiting: int
    sent: int
    skipped: int


def tally(session: Session, name: str) -> list[Tally]:
    """How all that a rule ever enrolled stands, by state and reason."""
    return care_recipients.tally(session, store.ids_of(session, name))


def are_more(session: Session, names: Collection[str], most: int) -> bool:
    """Whether these rules ever enrolled more than so many; looks at no more than that."""
    ids = [each for name in names for each in store.ids_of(session, name)]
    return care_recipients.are_more(session, ids, most)


def counts(session: Session, name: str) -> Counts:
    """The same in three figures."""
    return counted(tally(session, name))


def counted(found: Sequence[Tally]) -> Counts:
    """A tally in three figures."""
    waiting = sum(each.people for each in found if each.state in OPEN)
    sent = sum(each.people for each in found if each.state in REACHED and each.state not in OPEN)
    return Counts(waiting, sent, sum(each.people for each in found) - waiting - sent)
