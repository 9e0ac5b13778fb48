"""Broadcasts in the API: how they stand, whom they were meant for, paused, resumed and cancelled."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import BaseModel, Field
from sqlmodel import Session

from bot import broadcast_notices, broadcasting
from crm import broadcast_versions, broadcasts
from storage import recipient_pages
from storage.broadcasts import BroadcastView
from web.fields import PageParams, RowId, row_id
from web.operations import Call, Operation, Params
from web.staff import NoParams

Reason = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_/-]*$")]
"""One of ours, or a platform's code."""
Word = Annotated[str, Field(max_length=64, pattern=r"^[a-z_]*$")]


class BroadcastParams(Params):
    """Which broadcast."""

    broadcast: RowId


class RecipientParams(PageParams):
    """Which broadcast, and those in which state or for which reason; all where neither is named."""

    broadcast: RowId
    state: Word = ""
    reason: Reason = ""


class BroadcastOut(BaseModel):
    """A broadcast as it stands; `as_of` is the moment for which its audience was frozen.

    `audience` is how many it is meant for: null until all of them are written down, when it begins; `preview` counts
    before that.
    """

    id: str
    name: str
    purpose: str
    segment: str
    state: str
    pause_reason: str
    audience: int | None
    scheduled_at: datetime | None
    as_of: datetime | None


class BroadcastsOut(BaseModel):
    """The last broadcasts, newest first."""

    broadcasts: list[BroadcastOut]


class BroadcastWhyOut(BaseModel):
    """How many are in a state for a reason."""

    state: str
    reason: str
    people: int


class BroadcastReportOut(BroadcastOut):
    """What became of everybody, by state, by reason and by lane. `version` is what who approves it names."""

    version: str
    people: dict[str, int]
    reasons: list[BroadcastWhyOut]
    lanes: dict[str, int]


class RecipientOut(BaseModel):
    """One of the audience; `external_id` is your id of them."""

    external_id: str | None
    name: str
    state: str
    reason: str
    lane: str
    sent_at: datetime | None


class RecipientsOut(BaseModel):
    """Some of them; `next` is the cursor of those after them, null at the end."""

    recipients: list[RecipientOut]
    next: str | None


async def latest(call: Call[NoParams, None]) -> BroadcastsOut:
    """List the last broadcasts."""
    found = await call.database.read(broadcasts.latest)
    return BroadcastsOut(broadcasts=[shown(each, state) for each, state in found])


async def report(call: Call[BroadcastParams, None]) -> BroadcastReportOut:
    """Say what became of everybody."""
    return await call.database.read_long(lambda session: _report(session, row_id(call.params.broadcast)))


async def page(call: Call[RecipientParams, None]) -> RecipientsOut:
    """List who a broadcast was meant for."""
    asked = call.params

    def read(session: Session) -> RecipientsOut:
        number = broadcasts.get(session, row_id(asked.broadcast)).id
        rows = recipient_pages.page(session, number, asked.after, asked.limit, asked.state, asked.reason)
        following = str(rows[-1].id) if len(rows) == asked.limit else None
        some = [RecipientOut.model_validate(each._asdict()) for each in rows]
        return RecipientsOut(recipients=some, next=following)

    return await call.database.read(read)


async def pause(call: Call[BroadcastParams, None]) -> BroadcastReportOut:
    """Send no more for now."""
    return await _moved(call, broadcast_notices.PAUSE)


async def resume(call: Call[BroadcastParams, None]) -> BroadcastReportOut:
    """Go on."""
    return await _moved(call, broadcast_notices.RESUME)


async def cancel(call: Call[BroadcastParams, None]) -> BroadcastReportOut:
    """Send no more, for good."""
    return await _moved(call, broadcast_notices.CANCEL)


async def _moved(call: Call[BroadcastParams, None], order: str) -> BroadcastReportOut:
    """Do this with it; how it stands is read where that keeps nobody waiting."""
    move = partial(
        broadcasting.move, sender=call.sender, order=order, broadcast_id=row_id(call.params.broadcast),
        actor=call.caller, now=call.now,
    )  # fmt: skip
    await call.database.write(move, name=f"broadcast.{order}")
    return await report(call)


def _report(session: Session, number: int) -> BroadcastReportOut:
    found = broadcasts.report(session, number)
    reasons = [
        BroadcastWhyOut(state=state, reason=why, people=people) for (state, why), people in found.reasons.items()
    ]
    told = shown(found.broadcast, found.state).model_dump()
    return BroadcastReportOut(
        **told, version=broadcast_versions.version(session, found.broadcast), people=dict(found.people),
        reasons=reasons, lanes=dict(found.lanes),
    )  # fmt: skip


def shown(each: BroadcastView, state: str) -> BroadcastOut:
    """A broadcast as the API tells of it."""
    return BroadcastOut(
        id=str(each.id), name=each.name, purpose=each.purpose, segment=each.segment, state=state,
        pause_reason=each.pause_reason, audience=broadcasts.audience(each), scheduled_at=each.scheduled_at,
        as_of=each.as_of,
    )  # fmt: skip


_ONE = "/broadcasts/{broadcast}"
OPERATIONS = (
    Operation("GET", "/broadcasts", "listBroadcasts", "List the last broadcasts", NoParams, None, BroadcastsOut,
              latest),
    Operation("GET", _ONE, "getBroadcast", "Say what became of a broadcast", BroadcastParams, None,
              BroadcastReportOut, report),
    Operation("GET", f"{_ONE}/recipients", "listRecipients", "List whom a broadcast was meant for", RecipientParams,
              None, RecipientsOut, page),
    Operation("POST", f"{_ONE}/pause", "pauseBroadcast", "Pause a broadcast", BroadcastParams, None,
              BroadcastReportOut, pause),
    Operation("POST", f"{_ONE}/resume", "resumeBroadcast", "Resume a broadcast", BroadcastParams, None,
              BroadcastReportOut, resume),
    Operation("POST", f"{_ONE}/cancel", "cancelBroadcast", "Cancel a broadcast", BroadcastParams, None,
              BroadcastReportOut, cancel),
)  # fmt: skip
