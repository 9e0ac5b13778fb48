"""Why somebody was not written to, as people read it: a reason of ours, or the code of a platform's refusal."""

from __future__ import annotations

import re

from bot.channels import base
from bot.channels.messenger import errors as messenger
from bot.channels.zalo.business_errors import BUSINESS
from bot.channels.zalo.errors import OA
from crm import unsent
from crm.broadcasts import Pause
from crm.care_rules import Words
from storage.broadcasts import BroadcastView

_NOT_REACHED = base.Words("the platform could not be reached", "không kết nối được tới nền tảng")
_NO_ANSWER = base.Words("the platform did not answer", "nền tảng không trả lời")
_ON_THE_WAY = {
    "connect": _NOT_REACHED, "not_reached": _NOT_REACHED, "timeout": _NO_ANSWER, "disconnected": _NO_ANSWER,
}  # fmt: skip
_ZALO = re.compile(r"-\d{1,9}")
_MESSENGER = re.compile(r"(\d{1,9})(?:/(\d{1,9}))?")


def words(reason: str) -> Words:
    """A reason that is kept of somebody: what a platform's code means, with the code behind it; as it is where nobody
    knows it."""
    meant = _meaning(reason)
    if meant is None:
        return unsent.words(reason)
    return Words(f"{meant.vi.rstrip('.')} ({reason})", f"{meant.en.rstrip('.')} ({reason})")


def coded(reason: str) -> Words:
    """The same with the reason before it, as it is looked for by."""
    meant = _meaning(reason) or unsent.words(reason)
    if meant.en == reason:
        return Words(reason, reason)
    return Words(f"{reason}: {meant.vi.rstrip('.')}", f"{reason}: {meant.en.rstrip('.')}")


def told(error: str) -> Words:
    """The error that is kept of a message: "code: words", whose words are English, or a reason of ours."""
    code = error.partition(": ")[0]
    return words(error if _meaning(code) is None else code)


def stopped(each: BroadcastView) -> Words:
    """Why a broadcast rests, with what is known besides."""
    why, more = unsent.paused(each.pause_reason), Words(each.pause_words, each.pause_words)
    if each.pause_reason in (Pause.ERRORS, Pause.NOT_TAKEN):
        count, _, error = each.pause_words.partition(": ")
        last = told(error)
        more = Words(f"{count}: {last.vi}", f"{count}: {last.en}")
    return Words(f"{why.vi} ({more.vi})", f"{why.en} ({more.en})") if each.pause_words else why


def _meaning(code: str) -> base.Words | None:
    """What a platform's code says; None for what is no code that we know."""
    if _ZALO.fullmatch(code):
        fault = OA.get(int(code)) or BUSINESS.get(int(code))
        return fault.words if fault else None
    if match := _MESSENGER.fullmatch(code):
        return messenger.meaning(int(match[1]), int(match[2] or 0))
    return _ON_THE_WAY.get(code)
