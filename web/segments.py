"""Segments in the API: counted, explained and saved."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from bot import audience
from crm import customers, programmes, saved_segments, segments
from crm.saved_segments import SegmentRow
from crm.segments import AsOf
from storage import search
from web.fields import ExternalId
from web.operations import Call, Exact, Operation, Params
from web.staff import NoParams

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000), Field(examples=["hang>=vang va mua<90ngay"])]
SegmentName = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class SegmentParams(Params):
    """Which saved segment."""

    segment: SegmentName


class TextIn(Exact):
    """A segment as text, or the name of a saved one."""

    segment: Text


class CountIn(TextIn):
    """A segment, and how many of its customers are named."""

    sample: Annotated[int, Field(ge=0, le=50)] = 0


class WhyIn(TextIn):
    """A segment and a customer."""

    customer: ExternalId


class SampleOut(BaseModel):
    """One of those who are in it."""

    id: str
    name: str
    external_id: str | None


class CountOut(BaseModel):
    """How many are in it, as it was understood."""

    segment: str
    count: int
    sample: list[SampleOut]


class ReasonOut(BaseModel):
    """A clause, whether it holds, and what is so of the customer."""

    clause: str
    holds: bool
    value: str


class SegmentWhyOut(BaseModel):
    """Whether the customer is in it; `served` false: staff, or joined to another."""

    segment: str
    member: bool
    served: bool
    reasons: list[ReasonOut]


class SavedOut(BaseModel):
    """A version of a saved segment."""

    name: str
    version: int
    segment: str
    by: str
    at: datetime


class SavedAllOut(BaseModel):
    """Saved segments."""

    segments: list[SavedOut]


async def count(call: Call[NoParams, CountIn]) -> CountOut:
    """Count who is in a segment."""

    def read(session: Session) -> CountOut:
        at, segment = _now(session, call.now), segments.named(session, call.body.segment)
        ids = segments.sample(session, segment, at, call.body.sample) if call.body.sample else []
        some = [
            SampleOut(id=str(each.id), name=each.name, external_id=each.external_id)
            for each in search.details(session, ids)
        ]
        return CountOut(segment=segment.text, count=segments.count(session, segment, at), sample=some)

    return await call.database.read_long(read)


async def why(call: Call[NoParams, WhyIn]) -> SegmentWhyOut:
    """Say why a customer is in a segment or not."""

    def read(session: Session) -> SegmentWhyOut:
        at, segment = _now(session, call.now), segments.named(session, call.body.segment)
        found = segments.explain(session, segment, customers.find(session, call.body.customer).id, at, "en")
        reasons = [ReasonOut(clause=each.clause, holds=each.holds, value=each.value) for each in found.reasons]
        return SegmentWhyOut(segment=segment.text, member=found.is_member, served=found.is_served, reasons=reasons)

    return await call.database.read(read)


async def saved(call: Call[NoParams, None]) -> SavedAllOut:
    """List the saved segments in their last versions."""
    rows = await call.database.read(saved_segments.everyone)
    return SavedAllOut(segments=[_shown(row) for row in rows])


async def save(call: Call[SegmentParams, TextIn]) -> SavedOut:
    """Save a segment as the next version of its name; the same text again is the same version."""

    def write(session: Session) -> SegmentRow:
        at = _now(session, call.now)
        return saved_segments.save(session, call.params.segment, call.body.segment, at, call.caller)

    return _shown(await call.database.write(write))


async def versions(call: Call[SegmentParams, None]) -> SavedAllOut:
    """List all versions of a saved segment, the newest first."""
    rows = await call.database.read(lambda session: saved_segments.versions(session, call.params.segment))
    return SavedAllOut(segments=[_shown(row) for row in rows])


def _now(session: Session, now: datetime) -> AsOf:
    return audience.as_of(now, programmes.at(session, now).zone)


def _shown(row: SegmentRow) -> SavedOut:
    return SavedOut(name=row.name, version=row.version, segment=row.text, by=row.created_by, at=row.created_at)


_ONE = "/segments/{segment}"
OPERATIONS = (
    Operation("GET", "/segments", "listSegments", "List the saved segments", NoParams, None, SavedAllOut, saved),
    Operation("POST", "/segments/count", "countSegment", "Count who is in a segment", NoParams, CountIn, CountOut,
              count),
    Operation("POST", "/segments/why", "explainSegment", "Say why a customer is in a segment", NoParams, WhyIn,
              SegmentWhyOut, why),
    Operation("PUT", _ONE, "saveSegment", "Save a segment", SegmentParams, TextIn, SavedOut, save),
    Operation("GET", _ONE, "getSegment", "Read all versions of a saved segment", SegmentParams, None, SavedAllOut,
              versions),
)  # fmt: skip
