"""Where a broadcast can stand and go from there, why it rests, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from crm.errors import Conflict
from storage.broadcasts import CANCELLED, DRAFT, FREEZING, PAUSED, RUNNING, SCHEDULED, BroadcastView

FINISHED = "finished"

MAY: Mapping[str, frozenset[str]] = {
    DRAFT: frozenset({SCHEDULED, CANCELLED}),
    SCHEDULED: frozenset({DRAFT, SCHEDULED, FREEZING, PAUSED, CANCELLED}),
    FREEZING: frozenset({RUNNING, PAUSED, CANCELLED}),
    RUNNING: frozenset({PAUSED, CANCELLED}),
    PAUSED: frozenset({DRAFT, SCHEDULED, FREEZING, RUNNING, PAUSED, CANCELLED}),
    CANCELLED: frozenset(),
    FINISHED: frozenset(),
}
"""From which state to which; one that is paused goes on where it stopped, see `may`."""
_IN_WORDS: Mapping[str, tuple[str, str]] = {
    DRAFT: ("bản nháp", "a draft"), SCHEDULED: ("đã hẹn giờ", "scheduled"),
    FREEZING: ("đang chốt danh sách", "being frozen"), RUNNING: ("đang gửi", "running"),
    PAUSED: ("đang tạm dừng", "paused"), CANCELLED: ("đã hủy", "cancelled"), FINISHED: ("đã xong", "finished"),
}  # fmt: skip


class Pause(StrEnum):
    """Why a broadcast does not go on; all but the last six end by themselves."""

    HOURS = "hours"
    ACCOUNT = "account"
    QUOTA = "quota"
    BUDGET = "budget"
    TEMPLATE = "template"
    LIMIT = "limit"
    NOT_TAKEN = "not_taken"
    LATE = "late"
    UNFROZEN = "unfrozen"
    ERRORS = "errors"
    APPROVAL = "approval"
    RESTORED = "restored"
    STAFF = "staff"


STOPS = (Pause.ACCOUNT, Pause.QUOTA, Pause.BUDGET, Pause.TEMPLATE, Pause.LIMIT)
"""Why people are put off who would go out but for an account, its money or its templates."""
LASTING = (Pause.QUOTA, Pause.BUDGET, Pause.TEMPLATE)
"""Those of them that last: the broadcast goes on for who goes another way, and rests where nobody is due before."""
BEFORE = (Pause.LATE, Pause.UNFROZEN)
"""Why one may be paused that does not run yet."""
ALARM = "broadcast_paused"
"""A broadcast stopped by itself, and a person should look at it."""


def alarm_of(broadcast_id: int, reason: str) -> str:
    """What the alarm is about of a broadcast that is paused for a reason."""
    return f"{broadcast_id}:{reason}"


def has_begun(found: BroadcastView) -> bool:
    """Whether anybody may be in its audience already."""
    return found.cursor > 0 or found.frozen_at is not None


def may(found: BroadcastView, to: str) -> bool:
    """Whether one that stands so can become that. Paused, it runs on only where its audience is frozen, is frozen on
    only where it is not, and is a draft or scheduled again only where nobody is in it yet."""
    if found.state == PAUSED:
        if to == RUNNING:
            return found.frozen_at is not None
        if to == FREEZING:
            return found.frozen_at is None
        if to in (DRAFT, SCHEDULED):
            return not has_begun(found)
    return to in MAY[found.state]


class NeedsSecond(Conflict):
    """Before so many get it, somebody else must agree."""

    def __init__(self, people: int) -> None:
        self.people = people
        super().__init__(
            f"Gửi cho {people} người thì cần người thứ hai duyệt trước.",
            f"For {people} people a second person must approve it first.",
            field="broadcast",
        )


def told(state: str, locale: str) -> str:
    """A state as people read it."""
    vi, en = _IN_WORDS[state]
    return vi if locale == "vi" else en


def refused(found: BroadcastView, vi: str, en: str) -> Conflict:
    """That something cannot be done with one that stands so."""
    stands = _IN_WORDS[found.state]
    return Conflict(
        f"Tin #{found.id} ({stands[0]}): {vi}.", f"Broadcast {found.id} is {stands[1]}: it {en}.", field="broadcast"
    )
