"""Segments that were saved under a name, version by version, and used by it in others: `nhom:vip_moi`."""

from __future__ import annotations

import re

from sqlmodel import Session

from crm import segment_language, segment_meaning
from crm.errors import Conflict, Invalid, NotFound
from crm.segment_clauses import printed
from crm.segment_meaning import AsOf
from crm.segment_words import BY_NAME, folded
from crm.words import plain
from storage import saved_segments as store
from storage.saved_segments import SegmentRow as SegmentRow

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def save(session: Session, name: str, text: str, at: AsOf, by: str) -> SegmentRow:
    """Keep a text under a name, as its next version; the same text again is the same version.

    Raises SegmentError for a text that cannot be understood, Invalid for a name that cannot be one or a text that
    leads back to itself, Conflict where somebody else saved one at this very moment.
    """
    name = tidy(name)
    tree = segment_language.read(text)
    segment_meaning.meant(session, tree, at, (name,))
    text, last = printed(tree), store.find(session, name)
    if last is not None and last.text == text:
        return last
    version = last.version + 1 if last else 1
    row = {"name": name, "version": version, "text": text, "created_by": by, "created_at": at.now}
    if not store.add(session, row):
        raise Conflict("Có người vừa lưu nhóm này.", "Somebody just saved this segment.")
    return find(session, name)


def find(session: Session, name: str, version: int | None = None) -> SegmentRow:
    """One version of a segment, the last one where none is named. Raises NotFound."""
    found = store.find(session, segment_meaning.key_of(name), version)
    if found is None:
        raise NotFound(f"Không có nhóm “{name}”.", f"There is no segment “{name}”.", field="segment")
    return found


def everyone(session: Session) -> list[SegmentRow]:
    """The last version of each, by name."""
    return store.everyone(session)


def versions(session: Session, name: str) -> list[SegmentRow]:
    """All versions of a segment, the newest first. Raises NotFound."""
    return store.versions(session, find(session, name).name)


def tidy(name: str) -> str:
    """A name as it is kept: "VIP mới" → "vip_moi". Raises Invalid where nothing is left, or it is another word."""
    kept = plain(name).replace(" ", "_")
    if not _NAME.fullmatch(kept):
        raise Invalid("name", "Tên nhóm gồm chữ, số, _ và -, tối đa 40 ký tự.",
                      "A segment's name has letters, digits, _ and -, 40 at most.")  # fmt: skip
    if folded(kept) in BY_NAME:
        raise Invalid("name", f"“{kept}” đã là một điều kiện; hãy chọn tên khác.",
                      f"“{kept}” is a condition already; choose another name.")  # fmt: skip
    return kept
