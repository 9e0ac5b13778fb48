"""Broadcasts: written, tested, approved, scheduled, frozen, running, paused, cancelled, and told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from crm import audit, segments, times
from crm.broadcast_states import FINISHED as FINISHED
from crm.broadcast_states import MAY, refused
from crm.broadcast_states import NeedsSecond as NeedsSecond
from crm.broadcast_states import Pause as Pause
from crm.broadcast_states import told as told
from crm.content import Content, check
from crm.errors import Conflict, Invalid, NotFound
from crm.lawful import LawfulHours
from crm.messages import Purpose
from storage import broadcasts as store
from storage import jobs, outbox, recipients
from storage.broadcasts import CANCELLED, DRAFT, FREEZING, PAUSED, RUNNING, SCHEDULED, BroadcastView
from storage.work import wake

SYSTEM = "system"
"""Who acts where nobody asked: the clock."""
CLOSE = "broadcast.close"
"""The job that gives those their end who still waited when a broadcast was cancelled."""
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Report:
    """How a broadcast stands. `people` counts recipients by state, `reasons` by state and reason, `lanes` by lane."""

    broadcast: BroadcastView
    state: str
    people: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lanes: Mapping[str, int] = field(default_factory=dict)


def draft(
    session: Session,
    name: str,
    purpose: Purpose,
    content: Content,
    segment: str,
    actor: str,
    now: datetime,
    *,
    key: str | None = None,
) -> int:
    """Write a new broadcast to the members of a segment; its id, that of the one written before with this `key`.

    Raises Invalid where it could not be sent to somebody as it is, SegmentError where the segment is not understood,
    Conflict where the key is that of another one.
    """
    if purpose not in (Purpose.BROADCAST, Purpose.CARE, Purpose.TRANSACTION):
        raise Invalid(
            "purpose", "Mục đích: broadcast, care hoặc transaction.", "Purpose: broadcast, care, transaction."
        )
    name = named(name)
    check(content)
    row = {
        "name": name, "purpose": purpose.value, "content": content.dumps(), "state": DRAFT,
        "segment": segments.parse(segment).text, "pause_reason": "", "pause_words": "", "created_by": actor,
        "approved_by": "", "cursor": 0, "audience": 0, "digest": "", "created_at": now, "changed_at": now, "key": key,
    }  # fmt: skip
    found = store.add(session, row)
    if found is None:
        return _written(session, key or "", name, actor)
    _note(session, found, "draft", actor, now)
    return found


def _written(session: Session, key: str, name: str, actor: str) -> int:
    """The one that is there under a key, where it is the same writer's under the same name."""
    before = store.of_key(session, key)
    if before is None or (before.name, before.created_by) != (name, actor):
        raise Conflict("Khóa này đã dùng cho tin khác.", "This key is that of another broadcast.", field="key")
    return before.id


def edit(
    session: Session,
    broadcast_id: int,
    actor: str,
    now: datetime,
    *,
    name: str | None = None,
    content: Content | None = None,
    segment: str | None = None,
) -> BroadcastView:
    """Change what is not frozen yet. It is a draft again, to be tested, approved and scheduled anew."""
    found = _standing(session, broadcast_id)
    if found.state not in (DRAFT, SCHEDULED):
        raise refused(found, "không sửa được nữa", "cannot be changed any more")
    values: dict[str, object] = {"changed_at": now, "created_by": actor, "tested_at": None, "approved_by": ""}
    if name is not None:
        values["name"] = named(name)
    if content is not None:
        check(content)
        values["content"] = content.dumps()
    if segment is not None:
        values["segment"] = segments.parse(segment).text
    store.change(session, broadcast_id, **values)
    if found.state == SCHEDULED:
        _move(session, found, DRAFT, actor, now, "edited", scheduled_at=None)
    return get(session, broadcast_id)


def to_test(session: Session, broadcast_id: int) -> BroadcastView:
    """One that staff may get as a test, held meanwhile, so that nobody edits it. Raises Conflict where it has begun."""
    _held(session, broadcast_id)
    found = _standing(session, broadcast_id)
    if found.state not in (DRAFT, SCHEDULED):
        raise refused(found, "chỉ gửi thử được trước khi gửi", "can be tested only before it begins")
    return found


def tested(session: Session, broadcast_id: int, now: datetime) -> None:
    """Staff got it as customers would."""
    _held(session, broadcast_id)
    store.change(session, broadcast_id, tested_at=now)


def approve(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """A second person agrees with what stands there. Raises Conflict for who wrote it, and where it went out or ended
    already."""
    found = _held(session, broadcast_id)
    check_approval(found, actor)
    store.change(session, broadcast_id, approved_by=actor)
    _note(session, broadcast_id, "approve", actor, now)
    if (found.state, found.pause_reason) == (PAUSED, Pause.APPROVAL):
        _move(session, found, RUNNING, actor, now, "approved")


def check_approval(found: BroadcastView, actor: str) -> None:
    """Raises Conflict where this one cannot be the second person, or none is waited for any more."""
    if found.created_by == actor:
        raise Conflict(
            "Người khác phải duyệt tin này.", "Somebody else must approve this broadcast.", field="broadcast"
        )
    if found.state not in (DRAFT, SCHEDULED, FREEZING) and found.pause_reason != Pause.APPROVAL:
        raise refused(found, "không cần duyệt nữa", "needs no approval any more")


def schedule(
    session: Session,
    broadcast_id: int,
    at: datetime,
    actor: str,
    now: datetime,
    *,
    people: int = 0,
    alone: int = 0,
    hours: LawfulHours | None = None,
) -> BroadcastView:
    """Let it begin at a moment that is to come, or move that moment.

    `people` is how many are meant now; above `alone` (0: never) a second person must have approved. Raises Invalid for
    a moment that is past or outside the `hours` in which one may write, Conflict where staff did not get it as a test
    since it was changed.
    """
    found = _held(session, broadcast_id)
    check_schedule(found, at, now, people=people, alone=alone, hours=hours)
    _move(session, found, SCHEDULED, actor, now, "scheduled", scheduled_at=at)
    return get(session, broadcast_id)


def check_schedule(
    found: BroadcastView, at: datetime, now: datetime, *, people: int, alone: int, hours: LawfulHours | None
) -> None:
    """Raises what `schedule` would: Invalid and Conflict, NeedsSecond last."""
    if SCHEDULED not in MAY[found.state]:
        raise refused(found, "không hẹn giờ được nữa", "cannot be scheduled any more")
    _check_moment(at, now, hours)
    if found.tested_at is None:
        raise Conflict(
            f"Chưa gửi thử: gõ /gui {found.id} thu trước khi hẹn giờ.",
            "It was not tested yet: send it to staff first.",
            field="broadcast",
        )
    if needs_second(found, people, alone):
        raise NeedsSecond(people)


def _check_moment(at: datetime, now: datetime, hours: LawfulHours | None) -> None:
    if at < now:
        raise Invalid("at", "Giờ gửi đã qua.", "That moment is past.")
    if hours is None or (opens := hours.next_moment(at)) == at:
        return
    vi, en = (times.told(opens, hours.zone, now, locale) for locale in ("vi", "en"))
    raise Invalid(
        "at", f"Giờ đó không được gửi tin (giờ yên tĩnh); sớm nhất là {vi}.",
        f"Nothing may be sent at that hour (quiet hours); the first that may is {en}.",
    )  # fmt: skip


def needs_second(found: BroadcastView, people: int, alone: int) -> bool:
    """Whether somebody else must agree before so many people get it."""
    return bool(alone) and people > alone and found.approved_by in ("", found.created_by)


def unschedule(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """It is a draft again, which does not begin by itself."""
    _move(session, _held(session, broadcast_id), DRAFT, actor, now, "unscheduled", scheduled_at=None)


def start(session: Session, broadcast_id: int, now: datetime) -> bool:
    """Begin to freeze the audience as of the moment that it was scheduled for; False where somebody was faster."""
    found = _held(session, broadcast_id)
    if found.state != SCHEDULED or found.scheduled_at is None or found.scheduled_at > now:
        return False
    _move(session, found, FREEZING, SYSTEM, now, "due", as_of=now, cursor=0)
    return True


def frozen(session: Session, broadcast_id: int, digest: str, now: datetime, *, alone: int = 0) -> None:
    """The audience is whole: send, unless so many need a second person's word. May be called twice."""
    found = _held(session, broadcast_id)
    if found.state != FREEZING:
        return
    facts = {"digest": digest, "frozen_at": now}
    if needs_second(found, found.audience, alone):
        words = f"{found.audience} > {alone}"
        _move(session, found, PAUSED, SYSTEM, now, Pause.APPROVAL, pause_words=words, **facts)
    else:
        _move(session, found, RUNNING, SYSTEM, now, "frozen", **facts)


def pause(
    session: Session,
    broadcast_id: int,
    reason: Pause,
    actor: str,
    now: datetime,
    *,
    words: str = "",
    until: datetime | None = None,
) -> bool:
    """Send no more for now; what is on its way goes on. With `until` it goes on by itself then.

    Without `until` one that rests and would go on by itself does not any more. Else False where it is not running.
    """
    found = _held(session, broadcast_id)
    rests = found.state == PAUSED and found.resumes_at is not None and until is None
    if found.state != RUNNING and not rests:
        return False
    _move(session, found, PAUSED, actor, now, reason, pause_words=words, resumes_at=until)
    return True


def rest(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """Somebody wants no more to be sent for now. Raises Conflict where `pause` does nothing, or it is finished."""
    found = _standing(session, broadcast_id)
    if found.state == FINISHED or not pause(session, broadcast_id, Pause.STAFF, actor, now):
        raise refused(found, "chỉ tạm dừng được tin đang gửi", "is not running")


def resume(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """Go on. Raises Conflict where it is not paused, or waits for a second person's word."""
    found = _standing(session, broadcast_id)
    if found.state != PAUSED:
        raise refused(found, "chỉ gửi tiếp được tin đang tạm dừng", "is not paused")
    if found.pause_reason == Pause.APPROVAL and found.approved_by in ("", found.created_by):
        raise Conflict("Tin này còn chờ người thứ hai duyệt.", "It waits for a second person's approval.")
    _move(session, found, RUNNING, actor, now, "resumed")


def cancel(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """Send nothing more, for good; what is on its way goes on. Raises Conflict where it is over."""
    found = _standing(session, broadcast_id)
    if CANCELLED not in MAY[found.state]:
        raise refused(found, "không hủy được nữa", "cannot be cancelled any more")
    _move(session, found, CANCELLED, actor, now, "cancelled")
    _close(session, broadcast_id, now)


def waits_again(session: Session, broadcast_id: int, now: datetime) -> None:
    """Somebody's message came back: where it was cancelled meanwhile, they get their end, too."""
    if _held(session, broadcast_id).state == CANCELLED:
        _close(session, broadcast_id, now)


def _close(session: Session, broadcast_id: int, now: datetime) -> None:
    jobs.add_many(session, [jobs.row(CLOSE, str(broadcast_id), {"broadcast": broadcast_id}, now)])


def closed(session: Session, broadcast_id: int, now: datetime) -> None:
    """Nobody of a cancelled broadcast waits any more."""
    store.change(session, broadcast_id, closed_at=now)


def get(session: Session, broadcast_id: int) -> BroadcastView:
    """One broadcast. Raises NotFound."""
    found = store.find(session, broadcast_id)
    if found is None:
        raise NotFound(f"Không có tin gửi loạt số {broadcast_id}.", f"There is no broadcast {broadcast_id}.")
    return found


def named(name: str) -> str:
    """A name as it is kept. Raises Invalid."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid("name", f"Tên cần từ 1 đến {LONGEST_NAME} ký tự.", f"A name has 1 to {LONGEST_NAME} characters.")
    return name


def latest(session: Session, most: int = 20) -> list[tuple[BroadcastView, str]]:
    """The last broadcasts with their states, newest first."""
    return [(each, state(session, each)) for each in store.latest(session, most)]


def state(session: Session, found: BroadcastView) -> str:
    """Where a broadcast stands: finished where all of it is frozen and nobody waits or is being written to."""
    may_be_over = found.frozen_at is not None and found.state in (RUNNING, PAUSED)
    return FINISHED if may_be_over and not recipients.is_open(session, found.id) else found.state


def report(session: Session, broadcast_id: int) -> Report:
    """What became of everybody, by state, reason and lane."""
    found = get(session, broadcast_id)
    people: dict[str, int] = {}
    reasons: dict[tuple[str, str], int] = {}
    lanes: dict[str, int] = {}
    for each in recipients.tally(session, broadcast_id):
        people[each.state] = people.get(each.state, 0) + each.people
        if each.reason:
            key = (each.state, each.reason)
            reasons[key] = reasons.get(key, 0) + each.people
        if each.lane:
            lanes[each.lane] = lanes.get(each.lane, 0) + each.people
    return Report(found, state(session, found), people, reasons, lanes)


def tend(session: Session, now: datetime, opens_at: datetime) -> list[int]:
    """What the clock does: pause in quiet hours, until `opens_at`, and go on where a pause is over.

    The broadcasts whose time to be frozen has come, to be started.
    """
    due: list[int] = []
    for each in store.living(session):
        if each.state == SCHEDULED and each.scheduled_at is not None and each.scheduled_at <= now:
            due.append(each.id)
        elif each.state == RUNNING and opens_at > now and recipients.is_open(session, each.id):
            pause(session, each.id, Pause.HOURS, SYSTEM, now, until=opens_at)
        elif each.state == PAUSED and each.resumes_at is not None and max(each.resumes_at, opens_at) <= now:
            if recipients.is_open(session, each.id):
                resume(session, each.id, SYSTEM, now)
        elif each.state == FREEZING:
            due.append(each.id)
    return due


def _move(
    session: Session, found: BroadcastView, to: str, actor: str, now: datetime, reason: str, **values: object
) -> None:
    """The one way from state to state, with who wanted it and why. Raises Conflict where there is no such way."""
    if to not in MAY[found.state]:
        raise refused(found, f"không chuyển sang “{told(to, 'vi')}” được", f"cannot become {told(to, 'en')}")
    if to == PAUSED:
        values = {"resumes_at": None, "pause_words": "", "pause_reason": reason, **values}
    else:
        values = {"resumes_at": None, "pause_words": "", "pause_reason": "", **values}
    store.change(session, found.id, state=to, **values)
    if to == RUNNING:
        wake(session, outbox.TOPIC)
    _note(session, found.id, to, actor, now, f"{found.state} → {to}: {reason}")


def _note(session: Session, broadcast_id: int, what: str, actor: str, now: datetime, details: str = "") -> None:
    kind, _, key = actor.partition(":")
    who = {"staff_id": int(key)} if kind == "staff" and key.isdecimal() else {}
    audit.note(
        session, f"broadcast.{what}", now, surface=kind[:24], subject="broadcast", subject_id=broadcast_id,
        details=details, **who,
    )  # fmt: skip


def _held(session: Session, broadcast_id: int) -> BroadcastView:
    found = store.hold(session, broadcast_id)
    if found is None:
        raise NotFound(f"Không có tin gửi loạt số {broadcast_id}.", f"There is no broadcast {broadcast_id}.")
    return found


def _standing(session: Session, broadcast_id: int) -> BroadcastView:
    """The same in the state that people are told: one that is finished is neither running nor paused."""
    found = _held(session, broadcast_id)
    return found._replace(state=state(session, found))
