"""Broadcasts: written, tested, approved, scheduled, frozen, running, paused, cancelled, and told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from crm import broadcast_moves as moves
from crm import broadcast_rests, broadcast_versions, segments, times
from crm.broadcast_moves import SYSTEM as SYSTEM
from crm.broadcast_moves import state as state
from crm.broadcast_states import BEFORE, has_begun, may, refused
from crm.broadcast_states import FINISHED as FINISHED
from crm.broadcast_states import NeedsSecond as NeedsSecond
from crm.broadcast_states import Pause as Pause
from crm.broadcast_states import told as told
from crm.content import Content, check
from crm.errors import Conflict, Invalid, NotFound
from crm.lawful import LawfulHours
from crm.messages import Purpose
from storage import broadcasts as store
from storage import jobs, recipients
from storage.broadcasts import CANCELLED, DRAFT, FREEZING, PAUSED, RUNNING, SCHEDULED, BroadcastView

CLOSE = "broadcast.close"
"""The job that gives those their end who still waited when a broadcast was cancelled."""
HASTEN = "broadcast.hasten"
"""The job that lets those be due who were put off, when a broadcast is to go on before that time."""
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
    moves.note(session, found, "draft", actor, now)
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
    found = moves.standing(session, broadcast_id)
    if not (found.state in (DRAFT, SCHEDULED) or (found.state == PAUSED and not has_begun(found))):
        raise refused(found, "không sửa được nữa", "cannot be changed any more")
    values: dict[str, object] = {"changed_at": now, "created_by": actor, "tested_at": None}
    values |= {"approved_by": "", "approved_of": ""}
    if name is not None:
        values["name"] = named(name)
    if content is not None:
        check(content)
        values["content"] = content.dumps()
    if segment is not None:
        values["segment"] = segments.parse(segment).text
    store.change(session, broadcast_id, **values)
    if found.state != DRAFT:
        moves.move(session, found, DRAFT, actor, now, "edited", scheduled_at=None)
    return get(session, broadcast_id)


def to_test(session: Session, broadcast_id: int) -> BroadcastView:
    """One that staff may get as a test, held meanwhile, so that nobody edits it. Raises Conflict where it has begun."""
    moves.hold(session, broadcast_id)
    found = moves.standing(session, broadcast_id)
    if found.state not in (DRAFT, SCHEDULED):
        raise refused(found, "chỉ gửi thử được trước khi gửi", "can be tested only before it begins")
    return found


def tested(session: Session, broadcast_id: int, now: datetime) -> None:
    """Staff got it as customers would."""
    moves.hold(session, broadcast_id)
    store.change(session, broadcast_id, tested_at=now)


def approve(
    session: Session, broadcast_id: int, actor: str, now: datetime, version: str, people: int | None = None
) -> None:
    """A second person agrees with the version that they saw; `people` are meant now.

    Raises Conflict for who wrote it, where it went out or ended already, and where that is not what stands there.
    """
    found = moves.hold(session, broadcast_id)
    check_approval(found, actor)
    broadcast_versions.check(session, found, version, people)
    store.change(
        session, broadcast_id, approved_by=actor, approved_of=broadcast_versions.agreed(session, found, version)
    )
    moves.note(session, broadcast_id, "approve", actor, now)
    if (found.state, found.pause_reason) == (PAUSED, Pause.APPROVAL):
        moves.move(session, found, RUNNING, actor, now, "approved")


def check_approval(found: BroadcastView, actor: str) -> None:
    """Raises Conflict where this one cannot be the second person, or none is waited for any more."""
    if found.created_by == actor:
        raise Conflict(
            f"Người viết không tự duyệt được; một lead, marketer hoặc admin khác duyệt: /gui {found.id} duyet.",
            "Who wrote it cannot approve it: another lead, marketer or admin does (or another key).",
            field="broadcast",
        )
    if found.state not in (DRAFT, SCHEDULED, FREEZING) and found.pause_reason not in (Pause.APPROVAL, Pause.RESTORED):
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

    `people` is how many are meant now; above `alone` (0: never) a second person must have approved just that. Raises
    Invalid for a moment that is past or outside the `hours` in which one may write, Conflict where staff did not get it
    as a test since it was changed.
    """
    found = broadcast_versions.as_approved(session, moves.hold(session, broadcast_id), people)
    check_schedule(found, at, now, people=people, alone=alone, hours=hours)
    moves.move(session, found, SCHEDULED, actor, now, "scheduled", scheduled_at=at)
    return get(session, broadcast_id)


def check_schedule(
    found: BroadcastView, at: datetime, now: datetime, *, people: int, alone: int, hours: LawfulHours | None
) -> None:
    """Raises what `schedule` would: Invalid and Conflict, NeedsSecond last."""
    if not may(found, SCHEDULED):
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


def waits_for_second(found: BroadcastView, alone: int) -> bool:
    """Whether one that is paused may not go on before somebody else agreed; also where it waited for that when the
    backup was made that was restored."""
    if found.pause_reason == Pause.APPROVAL:
        return found.approved_by in ("", found.created_by)
    was_whole = found.pause_reason == Pause.RESTORED and found.frozen_at is not None
    return was_whole and needs_second(found, found.audience, alone)


def unschedule(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """It is a draft again, which does not begin by itself. Raises Conflict where it is not scheduled, or has begun."""
    found = moves.hold(session, broadcast_id)
    if not may(found, DRAFT):
        raise refused(found, "chỉ bỏ hẹn được tin đã hẹn giờ", "has no moment to be taken back")
    moves.move(session, found, DRAFT, actor, now, "unscheduled", scheduled_at=None)


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

    Without `until` one that rests and would go on by itself does not any more. Else False where it is not running, nor
    about to be for a reason that keeps it from that.
    """
    found = moves.hold(session, broadcast_id)
    rests = found.state == PAUSED and found.resumes_at is not None and until is None
    is_to_run = found.state in (SCHEDULED, FREEZING) and reason in BEFORE
    if not (found.state == RUNNING or rests or is_to_run):
        return False
    moves.move(session, found, PAUSED, actor, now, reason, pause_words=words, resumes_at=until)
    return True


def rest(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """Somebody wants no more to be sent for now. Raises Conflict where `pause` does nothing, or it is finished."""
    found = moves.standing(session, broadcast_id)
    if found.state == FINISHED or not pause(session, broadcast_id, Pause.STAFF, actor, now):
        if found.state == SCHEDULED:
            raise refused(found, f"chưa bắt đầu gửi, bỏ hẹn bằng /gui {found.id} bohen", "can be unscheduled instead")
        raise refused(found, "chỉ tạm dừng được tin đang gửi", "is not running")


def resume(session: Session, broadcast_id: int, actor: str, now: datetime, *, alone: int = 0) -> None:
    """Somebody lets it go on; where its audience is not frozen yet, by that. Raises Conflict where it is not paused, or
    waits for a second person's word, or did so above `alone` people when the backup was made that was restored."""
    found = moves.standing(session, broadcast_id)
    if found.state != PAUSED:
        raise refused(found, "chỉ gửi tiếp được tin đang tạm dừng", "is not paused")
    if waits_for_second(found, alone):
        raise Conflict("Tin này còn chờ người thứ hai duyệt.", "It waits for a second person's approval.")
    if found.frozen_at is None:
        as_of = found.as_of if has_begun(found) else now
        moves.move(session, found, FREEZING, actor, now, "resumed", scheduled_at=now, as_of=as_of)
    else:
        moves.move(session, found, RUNNING, actor, now, "resumed")
        _hasten(session, broadcast_id, now)


def go_on(session: Session, broadcast_id: int, now: datetime) -> None:
    """Its rest is over, unless somebody or something stopped it meanwhile."""
    found = moves.hold(session, broadcast_id)
    if found.state == PAUSED and found.resumes_at is not None and found.resumes_at <= now:
        moves.move(session, found, RUNNING, SYSTEM, now, "resumed")


def look_again(session: Session, reason: Pause, now: datetime) -> None:
    """What broadcasts lacked for this reason may be there now: all that are not over look anew at who was put off, and
    those that rest for it go on."""
    for each in store.living(session):
        found = moves.hold(session, each.id)
        if found.frozen_at is None or found.state not in (RUNNING, PAUSED):
            continue
        if found.state == PAUSED and found.pause_reason == reason:
            moves.move(session, found, RUNNING, SYSTEM, now, "resumed")
        _hasten(session, each.id, now)


def _hasten(session: Session, broadcast_id: int, now: datetime) -> None:
    """Who was put off until there is money or a template again does not wait for that any more."""
    jobs.add_many(session, [jobs.row(HASTEN, str(broadcast_id), {"broadcast": broadcast_id}, now)])


def cancel(session: Session, broadcast_id: int, actor: str, now: datetime) -> None:
    """Send nothing more, for good; what is on its way goes on. Raises Conflict where it is over."""
    found = moves.standing(session, broadcast_id)
    if not may(found, CANCELLED):
        raise refused(found, "không hủy được nữa", "cannot be cancelled any more")
    moves.move(session, found, CANCELLED, actor, now, "cancelled")
    _close(session, broadcast_id, now)


def waits_again(session: Session, broadcast_id: int, due_at: datetime, now: datetime) -> None:
    """Somebody's message came back, and they are due again then: where it was cancelled meanwhile, they get their end,
    too; where it came to rest for what others lack, it does not rest for longer than they wait."""
    found = moves.hold(session, broadcast_id)
    if found.state == CANCELLED:
        _close(session, broadcast_id, now)
    else:
        broadcast_rests.shorten(session, found, due_at, now)


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


def audience(found: BroadcastView) -> int | None:
    """How many it is meant for; None until all of them are written down."""
    return found.audience if found.frozen_at is not None else None


def named(name: str) -> str:
    """A name as it is kept. Raises Invalid."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid("name", f"Tên cần từ 1 đến {LONGEST_NAME} ký tự.", f"A name has 1 to {LONGEST_NAME} characters.")
    return name


def latest(session: Session, most: int = 20) -> list[tuple[BroadcastView, str]]:
    """The last broadcasts with their states, newest first."""
    return [(each, state(session, each)) for each in store.latest(session, most)]


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
