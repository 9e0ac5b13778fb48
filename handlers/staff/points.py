"""Points that staff add or take: seen before it is done, confirmed with a code, and behind the PIN."""

from __future__ import annotations

from bot.staff.context import StaffContext
from bot.staff.kinds import CustomerRef, Points, Text
from bot.staff.router import Group, StaffRouter
from crm import ledger
from crm.errors import Invalid
from crm.ledger import Fact, Kind
from crm.staff import Permission
from storage.columns import new_id

router = StaffRouter("points")

MOST = 100_000
"""The most that one command may add or take."""
LONGEST_REASON = 200


@router.command(
    "diem", "điểm", "points", usage="/diem <khách> <±điểm> <lý do>", vi="cộng hoặc trừ điểm (PIN, xem trước, /ok)",
    group=Group.MONEY, may=Permission.ADJUST_POINTS, examples=("/diem 12 +50 tặng sinh nhật", "/diem 12 -20 nhập nhầm"),
)  # fmt: skip
def adjust_points(ctx: StaffContext, customer: CustomerRef, points: Points, reason: Text) -> None:
    """Add or take points, after a preview that `/ok` confirms."""
    reason_given = " ".join(reason.split())
    if not 0 < len(reason_given) <= LONGEST_REASON:
        raise Invalid("reason", "Thiếu lý do (tối đa 200 ký tự).", "Missing: why, in 200 characters at most.")
    if abs(points) > MOST:
        raise Invalid("points", f"Mỗi lần tối đa {MOST:,} điểm.".replace(",", "."), f"At most {MOST:,} points at once.")
    before = ledger.holding(ctx.session, customer.id).spendable
    if before + points < 0:
        raise ledger.NotEnough(-points, before)
    if not ctx.confirmed(
        "points_preview", name=customer.name, points=int(points), before=before, after=before + points,
        reason=reason_given,
    ):  # fmt: skip
        return
    key, actor = f"staff:{ctx.member.id}:{new_id()}", f"staff:{ctx.member.id}"
    fact = Fact(key=key, now=ctx.now, reason=reason_given, actor=actor)
    if points > 0:
        posted = ledger.earn(ctx.session, customer.id, points, fact, kind=Kind.ADJUST)
    else:
        posted = ledger.redeem(ctx.session, customer.id, -points, fact, kind=Kind.ADJUST)
    ctx.audit("points", "customer", customer.id, f"{points:+d}")
    ctx.reply("points_done", name=customer.name, points=int(points), now=posted.spendable)
