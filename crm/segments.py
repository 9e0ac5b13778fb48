"""Segments: who is meant by one line of text, how many they are, and some of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select
from sqlmodel import Session

from crm import saved_segments, segment_language, segment_meaning, segment_reasons
from crm.segment_clauses import Clause, Wish, printed
from crm.segment_language import SegmentError as SegmentError
from crm.segment_meaning import AsOf as AsOf
from crm.segment_reasons import Explanation as Explanation
from crm.segment_reasons import Reason as Reason
from storage import segments as store
from storage.segment_tree import mapped


@dataclass(frozen=True, slots=True)
class Segment:
    """An audience, as a tree and as the text that stands for it."""

    tree: Wish
    text: str


def parse(text: str) -> Segment:
    """The segment that a text describes. Raises SegmentError, which tells the place."""
    tree = segment_language.read(text)
    return Segment(tree, printed(tree))


def told(text: str, locale: str) -> str:
    """The text of a segment in the language of who reads it."""
    return printed(segment_language.read(text), locale)


def unfolded(session: Session, text: str) -> str:
    """The text with, for each saved segment in it, what that asks for now. Raises CrmError where one is not there."""
    return printed(_unfolded(session, segment_language.read(text)))


def _unfolded(session: Session, tree: Wish) -> Wish:
    return mapped(tree, lambda clause: _meant(session, clause))


def _meant(session: Session, clause: Clause) -> Wish:
    if clause.word != "nhom":
        return clause
    return _unfolded(session, segment_language.read(segment_meaning.saved(session, clause).text))


def named(session: Session, text: str) -> Segment:
    """The segment that a text describes, or the saved one of this name. Raises SegmentError."""
    known = {each.name for each in saved_segments.everyone(session)}
    name = segment_meaning.key_of(text)
    return parse(f"nhom:{name}" if name in known else text)


def members(session: Session, segment: Segment, at: AsOf) -> Select[int]:
    """A statement that selects the ids of all who are in it at this moment; it may be narrowed to ranges of ids.

    Raises CrmError where the segment names what is not there (a tier, a custom field).
    """
    return store.select_members(segment_meaning.meant(session, segment.tree, at))


def among(session: Session, segment: Segment, at: AsOf, customer_ids: Collection[int]) -> set[int]:
    """Those of these customers who are in it. Raises CrmError."""
    return store.among(session, segment_meaning.meant(session, segment.tree, at), customer_ids)


def count(session: Session, segment: Segment, at: AsOf) -> int:
    """How many are in it. Raises CrmError."""
    return store.count(session, segment_meaning.meant(session, segment.tree, at))


def everyone(session: Session, segment: Segment, at: AsOf) -> list[int]:
    """The ids of all who are in it, in no order. Raises CrmError."""
    return store.everyone(session, segment_meaning.meant(session, segment.tree, at))


def sample(session: Session, segment: Segment, at: AsOf, most: int, after: int = 0) -> list[int]:
    """Some of those who are in it, with ids above `after`, by id. Raises CrmError."""
    return store.some(session, segment_meaning.meant(session, segment.tree, at), after, most)


def explain(session: Session, segment: Segment, customer_id: int, at: AsOf, locale: str = "vi") -> Explanation:
    """Why a customer is in it or not, clause by clause. Raises CrmError."""
    return segment_reasons.explain(session, segment.tree, customer_id, at, locale)
