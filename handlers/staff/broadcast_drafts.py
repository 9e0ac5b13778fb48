"""Broadcasts written and changed in the chat: in one line, or asked for one part after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.staff import dispatch, measuring
from bot.staff.context import StaffContext
from bot.staff.router import StaffRouter
from crm import broadcast_moves, broadcasts, content, segments
from crm.content import Content
from crm.errors import CrmError, Invalid
from crm.messages import Button, ButtonKind, Purpose
from crm.staff import Permission
from storage.broadcasts import BroadcastView

router = StaffRouter("broadcast_drafts")

NAME = "gui"
APART = "|"
_NONE = "-"
_WITHIN = timedelta(minutes=30)
_PARTS = ("name", "segment", "text")


def write(ctx: StaffContext, order: str) -> None:
    """A new one from `name | segment | text`; what is not there is asked for."""
    ctx.needs(Permission.WRITE_BROADCASTS)
    given = [part.strip() for part in order.split(APART, len(_PARTS) - 1)] if order.strip() else []
    if len(given) < len(_PARTS) or not given[-1]:
        _ask(ctx, [part for part in given if part])
        return
    name, segment, text = given
    number = broadcasts.draft(
        ctx.session, name, Purpose.BROADCAST, Content(text, language=ctx.office.locale), _segment(ctx, segment),
        f"staff:{ctx.member.id}", ctx.now,
    )  # fmt: skip
    _kept(ctx, broadcasts.get(ctx.session, number), is_new=True)
    measuring.ask(ctx, broadcasts.get(ctx.session, number).segment)


def _ask(ctx: StaffContext, given: list[str], problem: str = "") -> None:
    """Ask for the next part; `problem` is what is wrong with what was said."""
    values: dict[str, Any] = {"part": _PARTS[len(given)], "given": given, "problem": problem}
    ctx.ask("broadcast_asked", then=take, data={"given": given}, within=_WITHIN, **values)


@router.answer
def take(ctx: StaffContext, text: str) -> None:
    """The part that was asked for; what cannot be used is asked for anew, with the reason."""
    given = ctx.data["given"]
    try:
        _check(ctx, _PARTS[len(given)], text)
    except CrmError as error:
        _ask(ctx, given, error.words(ctx.locale))
        return
    dispatch.again(ctx, NAME, {"which": "moi", "order": f" {APART} ".join([*given, text.strip()])})


def _check(ctx: StaffContext, part: str, text: str) -> None:
    match part:
        case "name":
            broadcasts.named(text.replace(APART, " "))
        case "segment":
            _segment(ctx, text)
        case _:
            content.check(Content(text))


def _segment(ctx: StaffContext, text: str) -> str:
    """A segment as it is kept. Raises CrmError where it is not understood, or names what is not there."""
    found = segments.named(ctx.session, text)
    segments.members(ctx.session, found, ctx.office.sender.frame(ctx.now))
    return found.text


def edit(ctx: StaffContext, each: BroadcastView, part: str, given: str) -> None:
    """Change one part; it is a draft again, to be tested and scheduled anew."""
    ctx.needs(Permission.WRITE_BROADCASTS)
    if not given or (given == _NONE and part in _PARTS):
        raise Invalid(part, "Ghi nội dung mới phía sau; - để bỏ ảnh hoặc nút.",
                      "Write the new words behind it; - takes the picture or the buttons away.")  # fmt: skip
    said = Content.loads(broadcast_moves.hold(ctx.session, each.id).content)
    changes: dict[str, Any] = {}
    match part:
        case "name":
            changes["name"] = given
        case "segment":
            changes["segment"] = _segment(ctx, given)
        case "text":
            changes["content"] = replace(said, text=given)
        case "picture":
            changes["content"] = replace(said, picture="" if given == _NONE else given)
        case _:
            changes["content"] = replace(said, buttons=() if given == _NONE else (*said.buttons, _button(given)))
    changed = broadcasts.edit(ctx.session, each.id, f"staff:{ctx.member.id}", ctx.now, **changes)
    _kept(ctx, changed, is_new=False)
    if part == "segment":
        measuring.ask(ctx, changed.segment)


def _button(given: str) -> Button:
    """`Xem hàng = https://shop.vn`."""
    title, _, address = (part.strip() for part in given.partition("="))
    if not title or not address:
        raise Invalid("button", "Ghi: nut Xem hàng = https://shop.vn", "Write: button See more = https://shop.vn")
    return Button(title, address, ButtonKind.URL)


def _kept(ctx: StaffContext, each: BroadcastView, *, is_new: bool) -> None:
    ctx.reply("broadcast_kept", each=each, said=Content.loads(each.content), is_new=is_new)
