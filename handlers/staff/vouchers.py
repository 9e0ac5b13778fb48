"""Vouchers and stamp cards at the counter: looked at, used, cancelled, stamped."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.kinds import CustomerRef, customer
from bot.staff.router import Group, StaffRouter
from crm import rewards, stamps, vouchers, words
from crm.errors import CrmError, Invalid
from crm.ledger import Fact
from crm.staff import Permission
from crm.vouchers import State
from storage.columns import new_id

router = StaffRouter("vouchers")


@router.command(
    "v", "voucher", "ma", "mã", usage="/v <mã> [huy]", vi="xem và dùng voucher của khách; huy: hủy, trả điểm",
    group=Group.MONEY, may=Permission.SERVE, examples=("/v 7K3M-W9QP-DXAB", "/v 7K3M-W9QP-DXAB huy"),
)  # fmt: skip
def use_voucher(ctx: StaffContext, code: str, action: str = "") -> None:
    """Look at a customer's voucher and use it; `huy` takes it back and returns its points."""
    if words.plain(action) not in ("", "dung", "use", "huy", "cancel"):
        raise Invalid("action", f"“{action}”: dùng /v <mã> hoặc /v <mã> huy.", f"“{action}”: /v CODE, /v CODE cancel.")
    cancels = words.plain(action) in ("huy", "cancel")
    found = vouchers.resolve(ctx.session, code, f"staff:{ctx.member.id}", ctx.now)
    if isinstance(found, CrmError):
        raise found
    voucher = vouchers.hold(ctx.session, found, ctx.now)
    owner = customer(ctx, voucher.customer_id).name
    if vouchers.state(voucher, ctx.now) is not State.USABLE:
        ctx.ok = False
        ctx.reply("voucher", voucher=voucher, owner=owner, state=vouchers.state(voucher, ctx.now), cancels=False)
        return
    if not ctx.confirmed("voucher", voucher=voucher, owner=owner, state=State.USABLE, cancels=cancels):
        return
    fact = Fact(key=f"staff:{new_id()}", now=ctx.now, actor=f"staff:{ctx.member.id}")
    if cancels:
        voucher = rewards.give_back(ctx.session, found, fact)
    else:
        voucher = vouchers.redeem(ctx.session, found, fact).voucher
    ctx.audit("voucher.cancel" if cancels else "voucher.redeem", "voucher", found)
    ctx.reply("voucher_done", voucher=voucher, owner=owner, cancels=cancels)


@router.command(
    "tem", "đóng tem", "dongtem", "stamp", usage="/tem <khách> [số tem] [thẻ]", vi="đóng tem vào thẻ của khách",
    group=Group.MONEY, may=Permission.SERVE, examples=("/tem 12", "/tem 0901234567 2", "/tem 12 1 coffee"),
)  # fmt: skip
def stamp(ctx: StaffContext, to: CustomerRef, count: int = 1, card: str = "") -> None:
    """Stamp a customer's card; a full one becomes a voucher."""
    fact = Fact(key=f"stamp:{new_id()}", now=ctx.now, reason="counter", actor=f"staff:{ctx.member.id}")
    brought = stamps.give(ctx.session, to.id, count, card, fact)
    ctx.audit("stamp.give", "customer", to.id, str(count))
    ctx.reply(
        "stamped", name=to.name, count=count, cards=tuple(stamps.standings(ctx.session, to.id, ctx.now)),
        vouchers=tuple(vouchers.shown(each.code) for each in brought),
    )  # fmt: skip
