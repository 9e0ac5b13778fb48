"""What stands there of a broadcast, as one short word: who agrees names the one that they saw."""

from __future__ import annotations

import hashlib

from sqlmodel import Session

from crm import segments
from crm.content import Content
from crm.errors import Conflict, CrmError
from storage.broadcasts import BroadcastView

_LENGTH = 12
_BETWEEN = "-"
_SHOWN = 80


def version(session: Session, found: BroadcastView) -> str:
    """The version that stands there now.

    Another one where the purpose, the content, the segment, what the saved segments in it ask for, the moment or, once
    that is frozen, the audience is another one.
    """
    at = found.scheduled_at.isoformat() if found.scheduled_at else ""
    audience = f"{found.audience}:{found.digest}" if found.frozen_at else ""
    return _digest(str(found.id), substance(session, found), at, audience)


def substance(session: Session, found: BroadcastView) -> str:
    """What would be said to whom, whenever that is."""
    try:
        whom = segments.unfolded(session, found.segment)
    except CrmError:
        whom = found.segment
    return _digest(found.purpose, found.content, whom)


def _digest(*said: str) -> str:
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:_LENGTH]


def seen(version: str, people: int) -> str:
    """A version with how many it was meant for when somebody looked."""
    return f"{version}{_BETWEEN}{people}"


def is_seen(word: str) -> bool:
    """Whether this is a version with how many it was meant for."""
    return len(word.partition(_BETWEEN)[0]) == _LENGTH and people_in(word) is not None


def people_in(version: str) -> int | None:
    """How many it was meant for when somebody looked; None where nobody counted."""
    _, _, people = version.partition(_BETWEEN)
    return int(people) if people.isascii() and people.isdecimal() else None


def check(session: Session, found: BroadcastView, version_seen: str, people: int | None = None) -> None:
    """Raises Conflict where this is not what was seen, or where it is meant for more than a tenth (and ten people) more
    than then; `people` are counted now."""
    now = version(session, found)
    if version_seen.partition(_BETWEEN)[0] != now:
        raise _changed(found, now)
    before = people_in(version_seen)
    if not _is_more(people, before):
        return
    raise Conflict(
        f"Tin #{found.id} giờ gửi cho {people} người, lúc bạn xem là {before}. Xem lại rồi duyệt.",
        f"Broadcast {found.id} is meant for {people} people now, and was for {before} when you looked. Look at it "
        "again, then approve it.",
        field="version",
    )


def agreed(session: Session, found: BroadcastView, version_seen: str) -> str:
    """What is kept of a version with which somebody agrees: when it begins may still be changed."""
    people = people_in(version_seen)
    said = substance(session, found)
    return said if people is None else seen(said, people)


def as_approved(session: Session, found: BroadcastView, people: int | None = None) -> BroadcastView:
    """The broadcast; without its second person's word where that was about something else, or about fewer people. It
    counted where the audience is frozen, and who looked at it then saw just that."""
    if not found.approved_of or found.frozen_at is not None:
        return found
    is_other = found.approved_of.partition(_BETWEEN)[0] != substance(session, found)
    is_void = is_other or _is_more(people, people_in(found.approved_of))
    return found._replace(approved_by="", approved_of="") if is_void else found


def _is_more(people: int | None, before: int | None) -> bool:
    """Whether these are more than a few more than before; not where nobody counted."""
    return people is not None and before is not None and people > before + max(before // 10, 10)


def _changed(found: BroadcastView, now: str) -> Conflict:
    text = Content.loads(found.content).text
    said = f": “{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}”" if text else ""
    vi, en = (segments.told(found.segment, locale) for locale in ("vi", "en"))
    return Conflict(
        f"Tin #{found.id} “{found.name}” đã đổi từ lúc bạn xem. Bản bây giờ ({now}) gửi cho {vi}{said}. "
        "Xem lại rồi duyệt.",
        f"Broadcast {found.id} “{found.name}” was changed since you looked at it. It is version {now} now, to "
        f"{en}{said}. Look at it again, then approve it.",
        field="version",
    )
