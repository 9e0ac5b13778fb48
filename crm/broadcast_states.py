"""Where a broadcast can stand and go from there, why it rests, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from crm.errors import Conflict
from storage.broadcasts import CANCELLED, DRAFT, FREEZING, PAUSED, RUNNING, SCHEDULED, BroadcastView

FINISHED = "finished"

MAY: Mapping[str, frozenset[str]] = {
    DRAFT: frozenset({SCHEDULED, CANCELLED}),
    SCHEDULED: frozenset({DRAFT, SCHEDULED, FREEZING, CANCELLED}),
    FREEZING: frozenset({RUNNING, PAUSED, CANCELLED}),
    RUNNING: frozenset({PAUSED, CANCELLED}),
    PAUSED: frozenset({RUNNING, PAUSED, CANCELLED}),
    CANCELLED: frozenset(),
    FINISHED: frozenset(),
}
"""From which state to which."""
_IN_WORDS: Mapping[str, tuple[str, str]] = {
    DRAFT: ("bản nháp", "a draft"), SCHEDULED: ("đã hẹn giờ", "scheduled"),
    FREEZING: ("đang chốt danh sách", "being frozen"), RUNNING: ("đang gửi", "running"),
    PAUSED: ("đang tạm dừng", "paused"), CANCELLED: ("đã hủy", "cancelled"), FINISHED: ("đã xong", "finished"),
}  # fmt: skip


class Pause(StrEnum):
    """Why a broadcast does not go on; all but the last four end by themselves."""

    HOURS = "hours"
    ACCOUNT = "account"
    QUOTA = "quota"
    BUDGET = "budget"
    TEMPLATE = "template"
    LIMIT = "limit"
    ERRORS = "errors"
    APPROVAL = "approval"
    RESTORED = "restored"
    STAFF = "staff"


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
