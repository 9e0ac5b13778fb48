"""Segments in the chat: how many somebody means, why a customer is among them, and those that were saved."""

from __future__ import annotations

import re

from bot import audience
from bot.staff import measuring
from bot.staff.context import StaffContext
from bot.staff.grammar import first_word
from bot.staff.kinds import CustomerRef, Text
from bot.staff.router import Group, StaffRouter
from crm import saved_segments, segments, words
from crm.errors import CrmError, Invalid
from crm.segment_words import WORDS
from crm.segments import AsOf
from crm.staff import Permission
from storage import customers

router = StaffRouter("segments")

_LONG_NAME = 4
_QUOTED = re.compile(r'["“]([^"”]+)["”]\s*[=:]?\s*(.+)', re.DOTALL)
_SIGN = re.compile("[=:]")
_SAVE = ("luu", "save")
_WORDS = ("tu", "words")


@router.command(
    "nhom", "nhóm", "segment", usage="/nhom [<nhóm khách> | luu <tên> <nhóm khách> | tu]",
    vi="đếm và lưu nhóm khách; tu: các từ dùng được", group=Group.REACH, may=Permission.REPORT,
    examples=("/nhom hang>=vang va mua<90ngay", "/nhom luu vip_moi vip va tao<30ngay", "/nhom vip_moi", "/nhom tu"),
)  # fmt: skip
def show_segments(ctx: StaffContext, wish: Text | None = None) -> None:
    """Say how many customers a segment has; save one; list the saved ones, or the words."""
    first, rest = first_word(wish or "")
    if not wish:
        ctx.reply("segments", rows=saved_segments.everyone(ctx.session))
    elif words.plain(wish) in _WORDS:
        ctx.reply("segment_words", words=WORDS)
    elif words.plain(first) in _SAVE:
        _save(ctx, rest)
    else:
        _count(ctx, segments.named(ctx.session, wish))


def _save(ctx: StaffContext, rest: str) -> None:
    name, text = _parted(rest)
    kept = saved_segments.save(ctx.session, name, text, _now(ctx), f"staff:{ctx.member.id}")
    ctx.audit("segment.save", "segment", kept.id, f"{kept.name}@{kept.version}")
    ctx.reply("segment_saved", kept=kept)
    measuring.ask(ctx, kept.text)


def _parted(rest: str) -> tuple[str, str]:
    """A name and the segment behind it. More than one word is a name in quotes, or before `=` or `:`. Raises Invalid.

    `vip_moi hang=vang` is a name of one word: only where that reads as no segment the sign may end the name.
    """
    if quoted := _QUOTED.fullmatch(rest):
        return quoted[1], quoted[2]
    name, text = first_word(rest)
    head, _, tail = (part.strip() for part in _SIGN.sub("\n", rest, count=1).partition("\n"))
    if _reads(text):
        return name.rstrip("=:"), text.lstrip("=: ")
    if _reads(tail):
        return head, tail
    if not text:
        raise Invalid("name", "Ghi tên rồi tới nhóm: /nhom luu vip_moi vip va tao<30ngay.",
                      "Write a name, then the segment: /segment save vip_new vip and created<30d.")  # fmt: skip
    for name_ends in range(2, 2 + _LONG_NAME):
        parts = rest.split(maxsplit=name_ends)
        if len(parts) > name_ends and _reads(parts[-1]):
            meant = f'"{" ".join(parts[:-1])}" {parts[-1]}'
            raise Invalid("name", f"Tên nhiều chữ thì đặt trong ngoặc kép: /nhom luu {meant}",
                          f"A name of several words stands in quotes: /segment save {meant}")  # fmt: skip
    return name, text


def _reads(text: str) -> bool:
    """Whether this is a segment by its form."""
    try:
        segments.parse(text.lstrip("=: "))
    except CrmError:
        return False
    return True


def _count(ctx: StaffContext, segment: segments.Segment) -> None:
    """What names something that is not there is refused at once; how many there are is told a little later."""
    segments.members(ctx.session, segment, _now(ctx))
    if ctx.chat is None:
        raise Invalid("", "Trên máy chủ dùng khachquen segment count.", "Here use khachquen segment count.")
    measuring.ask(ctx, segment.text)


@router.command(
    "visao", "vì sao", "why", usage="/visao <khách> <nhóm khách>", vi="vì sao khách thuộc hay không thuộc một nhóm",
    group=Group.REACH, may=Permission.REPORT, examples=("/visao 12 vip_moi", "/visao 12 hang>=vang va mua<90ngay"),
)  # fmt: skip
def explain_segment(ctx: StaffContext, customer: CustomerRef, wish: Text) -> None:
    """Say why a customer is in a segment or not, condition by condition."""
    segment = segments.named(ctx.session, wish)
    found = segments.explain(ctx.session, segment, customer.id, _now(ctx), ctx.locale)
    profile = customers.profile(ctx.session, customer.id)
    is_joined = profile is not None and profile.external_id is not None
    ctx.reply("segment_why", name=customer.name, found=found, is_joined=is_joined)


def _now(ctx: StaffContext) -> AsOf:
    return audience.as_of(ctx.now, ctx.office.zone, ctx.office.locale)
