"""Broadcasts in the API before they go out: written, changed, looked at, tested, approved, scheduled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from bot import broadcast_notices, broadcasting, previews, trial_sends
from crm import broadcast_moves, broadcast_versions, broadcasts, segments, staff, unsent
from crm.content import ByTemplate, Content
from crm.messages import Button, ButtonKind, Purpose
from storage.broadcasts import BroadcastView
from web.broadcasts import BroadcastOut, BroadcastParams, shown
from web.fields import Moment, Name, RowId, row_id
from web.loyalty import Key
from web.operations import Call, Exact, Operation, Params
from web.segments import Text as SegmentText
from web.staff import NoParams

BroadcastName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Words = Annotated[
    str,
    StringConstraints(max_length=1500, pattern=r"^[^\x00]*$"),
    Field(examples=['Chào {{ khach.ten or "bạn" }}, cuối tuần giảm 20%']),
]
Address = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x20\x7f]*$")]
Short = Annotated[str, StringConstraints(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Language = Literal["vi", "en"]
PREVIEW = timedelta(seconds=25)
"""A preview that takes longer is refused: programs and proxies do not wait for it."""


class LinkIn(Exact):
    """A button that opens an address: https and a host with a dot."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    url: Annotated[str, StringConstraints(max_length=1000, min_length=1, pattern=r"^[^\x00-\x20\x7f]+$")]


class TemplateIn(Exact):
    """The template by which it goes where no window is open; values have gaps as the text has. `account` "": of any;
    `to_phone`: also to the phone number of who is in no chat, of the account that is named then."""

    channel: Literal["zalo", "messenger"]
    template: Short
    account: Short = ""
    language: Short = ""
    values: dict[Short, Words] = Field(default_factory=dict)
    to_phone: bool = False


class BroadcastIn(Exact):
    """A new broadcast: to whom, and what they read.

    The purpose `broadcast` is advertising, labelled and with the way to end it.
    """

    name: BroadcastName
    segment: SegmentText
    text: Words = ""
    picture: Address = ""
    buttons: list[LinkIn] = Field(default_factory=list, max_length=3)
    templates: list[TemplateIn] = Field(default_factory=list, max_length=10)
    purpose: Literal["broadcast", "care", "transaction"] = "broadcast"
    language: Language = "vi"
    key: Key


class BroadcastEditIn(Exact):
    """What is to stand there from now on; what is left out stays."""

    name: BroadcastName | None = None
    segment: SegmentText | None = None
    text: Words | None = None
    picture: Address | None = None
    buttons: Annotated[list[LinkIn], Field(max_length=3)] | None = None
    templates: Annotated[list[TemplateIn], Field(max_length=10)] | None = None
    language: Language | None = None


class PreviewParams(Params):
    """Which broadcast, and as if it began when; without that when it is scheduled, else now."""

    broadcast: RowId
    at: Moment | None = None


class TestIn(Exact):
    """Whose chats get it."""

    staff: Name


class ScheduleIn(Exact):
    """When it begins."""

    at: Moment


class ApproveIn(Exact):
    """The version that was seen, as `preview` and the broadcast itself tell it."""

    version: Annotated[str, StringConstraints(max_length=40, min_length=1, pattern=r"^[0-9a-f]+(-\d+)?$")]


class LinkOut(BaseModel):
    """A button that opens an address."""

    title: str
    url: str


class BroadcastDraftOut(BroadcastOut):
    """A broadcast with what it says and who answers for it; `tested_at` is null until staff got it as it stands.
    `version` is what who approves it names."""

    version: str
    text: str
    picture: str
    buttons: list[LinkOut]
    language: str
    created_by: str
    approved_by: str
    tested_at: datetime | None


class WayOut(BaseModel):
    """How many get it by a way, and what that costs in đồng; `template` is "" where it goes in words."""

    channel: str
    lane: str
    template: str
    people: int
    cost: int


class ReasonOut(BaseModel):
    """For how many, and why."""

    reason: str
    words: str
    people: int


class SampleTextOut(BaseModel):
    """What one real person reads; null where it goes by a template."""

    name: str
    text: str | None
    picture: bool


class PreviewOut(BaseModel):
    """What it would come to from `at` on, looked at as sending looks at it.

    `without_picture` counts by channel who gets the words alone, since one message there cannot bring both.
    `budget_left` is null where the shop has no budget; `needs_second_person`: it must be approved before it can be
    scheduled. `version` is what who approves it names: what was looked at, and for how many.
    """

    version: str
    at: datetime
    people: int
    ways: list[WayOut]
    waits: list[ReasonOut]
    skips: list[ReasonOut]
    without_picture: dict[str, int]
    cost: int
    budget_left: int | None
    needs_second_person: bool
    samples: list[SampleTextOut]


async def write(call: Call[NoParams, BroadcastIn]) -> BroadcastDraftOut:
    """Write a broadcast; the same key again answers the one that was written. It goes out only after it was tested and
    scheduled."""
    said = call.body

    def add(session: Session) -> BroadcastDraftOut:
        content = Content(said.text, said.picture, _buttons(said.buttons), _templates(said.templates), said.language)
        to = segments.named(session, said.segment).text
        number = broadcasts.draft(
            session,
            said.name,
            Purpose(said.purpose),
            content,
            to,
            call.caller,
            call.now,
            key=f"{call.caller}:{said.key}",
        )
        return _draft(session, number)

    return await call.database.write(add)


async def edit(call: Call[BroadcastParams, BroadcastEditIn]) -> BroadcastDraftOut:
    """Change what is not frozen yet. It is a draft again, to be tested, approved and scheduled anew."""
    said, number = call.body, row_id(call.params.broadcast)

    def change(session: Session) -> BroadcastDraftOut:
        before = Content.loads(broadcast_moves.hold(session, number).content)
        content = replace(before, **_changes(said))
        to = segments.named(session, said.segment).text if said.segment is not None else None
        changed = None if content == before else content
        broadcasts.edit(session, number, call.caller, call.now, name=said.name, content=changed, segment=to)
        return _draft(session, number)

    return await call.database.write(change)


async def preview(call: Call[PreviewParams, None]) -> PreviewOut:
    """Say what it would come to: how many get it by which way at which cost, who does not and why, what some read."""

    number = row_id(call.params.broadcast)
    found = await previews.estimate(call.database, call.sender, number, call.now, call.params.at, within=PREVIEW)
    seen = found.preview
    return PreviewOut(
        version=found.version, at=seen.at, people=seen.people, cost=seen.cost, budget_left=found.least_left,
        without_picture=dict(seen.bare),
        ways=[
            WayOut(channel=way.channel, lane=way.lane, template=way.template_id, people=n, cost=seen.costs[way])
            for way, n in seen.ways.items()
        ],
        waits=_reasons(seen.waits), skips=_reasons(seen.skips), needs_second_person=found.by_two,
        samples=[SampleTextOut(name=each.name, text=each.text, picture=each.picture) for each in seen.samples],
    )  # fmt: skip


async def test(call: Call[BroadcastParams, TestIn]) -> BroadcastDraftOut:
    """Send it to all chats of a member of staff, as customers would get it there. No broadcast is scheduled without."""
    number = row_id(call.params.broadcast)

    def send(session: Session) -> BroadcastDraftOut:
        broadcasts.get(session, number)
        trial_sends.send(session, call.sender, number, staff.named(session, call.body.staff).id, call.now)
        return _draft(session, number)

    return await call.database.write(send)


async def schedule(call: Call[BroadcastParams, ScheduleIn]) -> BroadcastDraftOut:
    """Let it begin at a moment, or move that. Again, it answers the same. Refused for moments that are past and hours
    in which nothing may be sent, and until it was tested and, for many people, approved."""
    number = row_id(call.params.broadcast)

    meant = partial(broadcasting.people, broadcast_id=number, sender=call.sender, now=call.now)
    people = await call.database.read_long(meant)

    def put(session: Session) -> BroadcastDraftOut:
        broadcasting.schedule(session, call.sender, number, call.body.at, call.caller, call.now, people)
        return _draft(session, number)

    return await call.database.write(put)


async def unschedule(call: Call[BroadcastParams, None]) -> BroadcastDraftOut:
    """Make it a draft again, which does not begin by itself."""
    number = row_id(call.params.broadcast)

    def take(session: Session) -> BroadcastDraftOut:
        broadcasting.move(session, call.sender, broadcast_notices.UNSCHEDULE, number, call.caller, call.now)
        return _draft(session, number)

    return await call.database.write(take)


async def approve(call: Call[BroadcastParams, ApproveIn]) -> BroadcastDraftOut:
    """Agree as the second with the version that was seen: by another key than it was written with, or where a member of
    staff wrote it. Again, it answers the same. Refused where it was changed since."""
    number = row_id(call.params.broadcast)
    await broadcasting.approve(call.database, call.sender, number, call.caller, call.now, call.body.version)
    return await call.database.read(lambda session: _draft(session, number))


def _changes(said: BroadcastEditIn) -> dict[str, Any]:
    given: dict[str, Any] = {"text": said.text, "picture": said.picture, "language": said.language}
    if said.buttons is not None:
        given["buttons"] = _buttons(said.buttons)
    if said.templates is not None:
        given["templates"] = _templates(said.templates)
    return {name: value for name, value in given.items() if value is not None}


def _buttons(given: list[LinkIn]) -> tuple[Button, ...]:
    return tuple(Button(each.title, each.url, ButtonKind.URL) for each in given)


def _templates(given: list[TemplateIn]) -> tuple[ByTemplate, ...]:
    return tuple(
        ByTemplate(
            each.channel, each.account, each.template, each.language, tuple(sorted(each.values.items())), each.to_phone
        )
        for each in given
    )


def _reasons(counted: Counter[str]) -> list[ReasonOut]:
    return [ReasonOut(reason=why, words=unsent.words(why).en, people=n) for why, n in counted.most_common()]


def _draft(session: Session, number: int) -> BroadcastDraftOut:
    each: BroadcastView = broadcast_versions.as_approved(session, broadcasts.get(session, number))
    said = Content.loads(each.content)
    return BroadcastDraftOut(
        **shown(each, broadcasts.state(session, each)).model_dump(),
        version=broadcast_versions.version(session, each), text=said.text, picture=said.picture,
        buttons=[LinkOut(title=button.title, url=button.value) for button in said.buttons], language=said.language,
        created_by=each.created_by, approved_by=each.approved_by, tested_at=each.tested_at,
    )  # fmt: skip


_ONE = "/broadcasts/{broadcast}"
OPERATIONS = (
    Operation("POST", "/broadcasts", "writeBroadcast", "Write a broadcast", NoParams, BroadcastIn, BroadcastDraftOut,
              write),
    Operation("PATCH", _ONE, "editBroadcast", "Change a broadcast that is not frozen yet", BroadcastParams,
              BroadcastEditIn, BroadcastDraftOut, edit),
    Operation("GET", f"{_ONE}/preview", "previewBroadcast", "Say what a broadcast would come to", PreviewParams, None,
              PreviewOut, preview),
    Operation("POST", f"{_ONE}/test", "testBroadcast", "Send a broadcast to staff first", BroadcastParams, TestIn,
              BroadcastDraftOut, test),
    Operation("POST", f"{_ONE}/approve", "approveBroadcast", "Agree with a broadcast as the second", BroadcastParams,
              ApproveIn, BroadcastDraftOut, approve),
    Operation("POST", f"{_ONE}/schedule", "scheduleBroadcast", "Let a broadcast begin at a moment", BroadcastParams,
              ScheduleIn, BroadcastDraftOut, schedule),
    Operation("POST", f"{_ONE}/unschedule", "unscheduleBroadcast", "Make a broadcast a draft again", BroadcastParams,
              None, BroadcastDraftOut, unschedule),
)  # fmt: skip
