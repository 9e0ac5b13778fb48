"""Canned replies: kept under a name with gaps and a picture, filled for one customer, and sent like any words."""

from __future__ import annotations

from bot.staff import dispatch, picturing, sending
from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import Blanks, ConversationRef, Pictures, Text
from bot.staff.router import Group, StaffRouter
from crm import loyalty, orders, ready, replies, wording
from crm.messages import Message
from crm.ready import Kind
from crm.staff import Permission
from crm.wording import Wording
from storage.ready import ReadyRow

router = StaffRouter("canned")

NAME = "mau"
PICTURE = "mauanh"
NO_PICTURES = Pictures(())
BACK = "-"
KNOWN = (
    "khach.ten", "khach.diem", "don.ma", "don.tong", "nhan_vien.ten", "shop.ten", "shop.sdt", "shop.dia_chi",
    "shop.gio",
)  # fmt: skip
"""What may stand in `{{ }}`."""


@router.command(
    NAME, "mẫu", "m", "canned", usage="/mau [tên] [khách] [chỗ trống | chỗ trống]",
    vi="gửi mẫu trả lời; không tên: các mẫu", group=Group.ANSWER, may=Permission.ANSWER,
    examples=("/mau", "/mau ship", "/mau ship 12", "/mau ship 12 3 ngày | sáng mai"),
)  # fmt: skip
def send_canned(
    ctx: StaffContext, name: str | None = None, customer: ConversationRef | None = None, filled: Blanks | None = None
) -> None:
    """Send a canned reply, its blanks asked one by one; without a customer show it, without a name list all."""
    if name is None:
        ctx.reply("canned_list", rows=ready.everything(ctx.session, Kind.REPLY))
        return
    row = ready.named(ctx.session, Kind.REPLY, name)
    read = wording.read(row.text, KNOWN)
    if customer is None:
        if filled:
            raise Misread("customer", "Thiếu khách (số trong /ds).", "Missing: a customer (a number of /ds).")
        ctx.reply("canned_shown", row=row, blanks=read.blanks)
        return
    given = filled or Blanks(())
    if len(given) > len(read.blanks):
        raise Misread("filled", f"Mẫu có {len(read.blanks)} chỗ trống.", f"It has {len(read.blanks)} blanks.")
    empty = next((blank for blank, words in zip(read.blanks, given, strict=False) if not words), None)
    if empty is not None:
        raise Misread("filled", f"“{empty}” còn trống.", f"“{empty}” is empty.")
    if len(given) < len(read.blanks):
        _ask(ctx, row, read, customer, list(given))
        return
    text = wording.write(read, _values(ctx, customer), given)
    sending.send(ctx, customer, Message(text, picture=row.picture))
    ctx.audit("canned", "conversation", customer.id, f"ready:{row.id}")


def _ask(ctx: StaffContext, row: ReadyRow, read: Wording, customer: ConversationRef, given: list[str]) -> None:
    """Ask for the next blank; nobody is asked for the blanks of what may not go out anyway."""
    reach = replies.may_send(customer.person, ctx.office.channels[customer.person.channel].rules, ctx.now)
    if reach.refusal is not None:
        raise sending.refused(customer.name, reach.refusal)
    data = {"name": row.name, "customer": customer.id, "filled": given}
    place = len(given)
    ctx.ask(
        "blank_asked", then=fill, data=data, canned=row.name, name=customer.name, blank=read.blanks[place],
        place=place + 1, all_of=len(read.blanks),
    )  # fmt: skip


@router.answer
def fill(ctx: StaffContext, text: str) -> None:
    """What stands in the blank that was asked for; `-` goes back to the one before."""
    given = [*ctx.data["filled"], text.strip()]
    if text.strip() == BACK:
        given = given[:-2]
    dispatch.again(ctx, NAME, {**ctx.data, "filled": [words for words in given if words]})


def _values(ctx: StaffContext, customer: ConversationRef) -> wording.Values:
    person, shop = customer.person, ctx.office.templates.shop
    order = next(iter(orders.recent(ctx.session, person.customer_id, 1)), None)
    called = person.customer_name or person.identity_name
    return {
        "khach": {"ten": called or "bạn", "diem": loyalty.balance(ctx.session, person.customer_id)},
        "don": {"ma": order.code, "tong": order.total} if order else {"ma": "", "tong": ""},
        "nhan_vien": {"ten": ctx.member.name},
        "shop": {
            "ten": shop["brand"], "sdt": shop["phone"], "dia_chi": shop["address"], "gio": shop["hours"],
        },
    }  # fmt: skip


@router.command(
    "mausua", "mẫusửa", "cannedit", usage="/mausua <tên> [nội dung]", vi="thêm hoặc sửa mẫu trả lời",
    group=Group.SYSTEM, may=Permission.WRITE_REPLIES,
    examples=("/mausua ship Chào {{ khach.ten }}, đơn tới sau [số ngày?] ạ", "/mausua ship"),
)  # fmt: skip
def edit_canned(ctx: StaffContext, name: str, text: Text | None = None) -> None:
    """Write a canned reply: `{{ khach.ten }}` is filled by the bot, `[days?]` is asked when it is sent."""
    if not text:
        ctx.ask("canned_asked", then=keep, data={"name": name}, canned=name, known=KNOWN)
        return
    read = wording.read(text, KNOWN)
    before = ready.put(ctx.session, Kind.REPLY, name, read.text, ctx.member.id, ctx.now)
    row = ready.named(ctx.session, Kind.REPLY, name)
    ctx.audit("canned.edit", "ready", row.id)
    ctx.reply("canned_kept", row=row, blanks=read.blanks, before=before.text if before else "")


@router.answer
def keep(ctx: StaffContext, text: str) -> None:
    """The text of a canned reply that was asked for."""
    dispatch.again(ctx, "mausua", {"name": ctx.data["name"], "text": text})


@router.command(
    PICTURE, "mẫuảnh", "cannedpicture", usage="/mauanh <tên> [https://… | -]",
    vi="ảnh đi cùng mẫu trả lời: gửi ảnh, hoặc địa chỉ; - để bỏ", group=Group.SYSTEM, may=Permission.WRITE_REPLIES,
    examples=("/mauanh size", "/mauanh size https://shop.vn/size.jpg", "/mauanh size -"),
)  # fmt: skip
def set_picture(ctx: StaffContext, name: str, address: str | None = None, pictures: Pictures = NO_PICTURES) -> None:
    """Let a picture go with a canned reply, sent here or by its address, or none (-)."""
    row = ready.named(ctx.session, Kind.REPLY, name)
    if pictures:
        payload = {"name": row.folded, "picture": pictures[0], "staff": ctx.member.id, "surface": ctx.surface}
        ctx.later(picturing.JOB, f"{row.id}", payload)
        ctx.audit("canned.picture", "ready", row.id)
        ctx.reply("canned_picture_comes", canned=row.name)
        return
    if address is None:
        ctx.ask("canned_picture_asked", then=take_picture, data={"name": name}, canned=row.name)
        return
    ready.put_picture(ctx.session, row, "" if address == BACK else address, ctx.member.id, ctx.now)
    ctx.audit("canned.picture", "ready", row.id)
    ctx.reply(
        "canned_shown", row=ready.named(ctx.session, Kind.REPLY, name), blanks=wording.read(row.text, KNOWN).blanks
    )


@router.picture
def take_picture(ctx: StaffContext, text: str) -> None:
    """The picture of a canned reply that was asked for, or its address."""
    given = {"name": ctx.data["name"], "address": None if ctx.pictures else text.strip(), "pictures": [*ctx.pictures]}
    dispatch.again(ctx, PICTURE, given)


@router.command(
    "mauxoa", "mẫuxóa", "cannedremove", usage="/mauxoa <tên>", vi="bỏ mẫu trả lời",
    group=Group.SYSTEM, may=Permission.WRITE_REPLIES, examples=("/mauxoa ship",),
)  # fmt: skip
def remove_canned(ctx: StaffContext, name: str) -> None:
    """Remove a canned reply, after a preview."""
    row = ready.named(ctx.session, Kind.REPLY, name)
    if not ctx.confirmed("ready_removing", row=row):
        return
    ready.remove(ctx.session, row, ctx.now)
    ctx.audit("canned.remove", "ready", row.id)
    ctx.reply("ready_removed", row=row)
