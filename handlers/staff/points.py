"""Points that staff add or take, above a limit by two; who may not spend theirs; why an order earned what it did."""

from __future__ import annotations

from bot.staff import second
from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import CustomerRef, Points, Text, customer
from bot.staff.router import Group, StaffRouter
from crm import adjustments, ledger, loyalty, notices, orders, staff, words
from crm.adjustments import Adjustment
from crm.errors import Invalid, NotFound
from crm.ledger import SPEND, Fact
from crm.staff import Permission
from storage.columns import new_id

router = StaffRouter("points")

MOST = 100_000
"""The most that one command may add or take."""
LONGEST_REASON = 200

_SHOWN = 10
_ORDERS = 3


@router.command(
    "diem", "điểm", "points", usage="/diem <khách> <±điểm> <lý do>", vi="cộng hoặc trừ điểm (PIN, xem trước, /ok)",
    group=Group.MONEY, may=Permission.ADJUST_POINTS, examples=("/diem 12 +50 tặng sinh nhật", "/diem 12 -20 nhập nhầm"),
)  # fmt: skip
def adjust_points(ctx: StaffContext, customer: CustomerRef, points: Points, reason: Text) -> None:
    """Add or take points, after a preview that `/ok` confirms; above what one person may do alone in a day, by two."""
    reason_given = _reason(reason)
    if abs(points) > MOST:
        raise Invalid("points", f"Mỗi lần tối đa {MOST:,} điểm.".replace(",", "."), f"At most {MOST:,} points at once.")
    before = loyalty.card(ctx.session, customer.id, ctx.now).spendable
    if before + points < 0:
        raise ledger.NotEnough(-points, before)
    by_two = adjustments.needs_second(ctx.session, customer.id, points, _actor(ctx), ctx.now)
    if not ctx.confirmed(
        "points_preview", name=customer.name, points=int(points), before=before, after=before + points,
        reason=reason_given, by_two=by_two,
    ):  # fmt: skip
        return
    fact = Fact(key=f"{_actor(ctx)}:{new_id()}", now=ctx.now, reason=reason_given, actor=_actor(ctx))
    done = adjustments.adjust(ctx.session, customer.id, int(points), fact)
    if done.waiting is not None:
        ctx.audit("points.ask", "customer", customer.id, f"{points:+d} #{done.waiting.id}")
        told = second.call(
            ctx.session, ctx.office.templates, ctx.locale, done.waiting, customer.name, ctx.member.name, ctx.now
        )  # fmt: skip
        ctx.reply("points_waiting", name=customer.name, points=int(points), number=done.waiting.id, told=told)
        return
    ctx.audit("points", "customer", customer.id, f"{points:+d}")
    spendable = loyalty.card(ctx.session, customer.id, ctx.now).spendable
    ctx.reply("points_done", name=customer.name, points=int(points), now=spendable)


@router.command(
    "duyet", "duyệt", "approve", usage="/duyet [số] [không]", vi="điểm chờ người thứ hai: xem, duyệt, hoặc không",
    group=Group.MONEY, may=Permission.ADJUST_POINTS, examples=("/duyet", "/duyet 3", "/duyet 3 không"),
)  # fmt: skip
def decide(ctx: StaffContext, number: int = 0, answer: str = "") -> None:
    """List the points that wait for a second person; approve or refuse one."""
    refuses = words.plain(answer) in ("khong", "no")
    if answer and not refuses:
        raise Invalid("answer", f"“{answer}”: dùng /duyet 3 hoặc /duyet 3 không.", f"“{answer}”: /approve 3, … 3 no.")
    if not number:
        found = adjustments.waiting(ctx.session, _SHOWN)
        rows = tuple((each, customer(ctx, each.customer_id).name, _who(ctx, each)) for each in found)
        ctx.reply("points_asked", rows=rows)
        return
    asked = adjustments.find(ctx.session, number)
    name = customer(ctx, asked.customer_id).name
    if refuses:
        adjustments.refuse(ctx.session, number, _actor(ctx), ctx.now)
    else:
        adjustments.check_open(asked, _actor(ctx))
        if not ctx.confirmed("points_approve", name=name, asked=asked, by=_who(ctx, asked)):
            return
        adjustments.approve(ctx.session, number, _actor(ctx), ctx.now)
    ctx.audit("points.refuse" if refuses else "points.approve", "customer", asked.customer_id, f"#{number}")
    ctx.reply("points_decided", name=name, asked=asked, refused=refuses, by=_who(ctx, asked))
    _tell_asker(ctx, asked, name, refuses)


def _tell_asker(ctx: StaffContext, asked: Adjustment, name: str, refused: bool) -> None:
    """Tell the colleague who asked what became of it."""
    kind, _, key = asked.asked_by.partition(":")
    if kind != "staff" or int(key) == ctx.member.id or staff.find(ctx.session, int(key)).revoked_at is not None:
        return
    message = ctx.rendered("points_answered", name=name, asked=asked, refused=refused, by=ctx.member.name)
    notices.tell(ctx.session, int(key), "points", lambda _: message, ctx.now, interrupts=False)


@router.command(
    "khoadiem", "khóa điểm", "freeze", usage="/khoadiem <khách> <lý do | mo>",
    vi="tạm khóa điểm của khách: không tiêu được; mo: mở lại", group=Group.MONEY, may=Permission.ADJUST_POINTS,
    examples=("/khoadiem 12 nghi gian lận", "/khoadiem 12 mo"),
)  # fmt: skip
def freeze(ctx: StaffContext, customer: CustomerRef, reason: Text) -> None:
    """Let a customer's points not be spent, or (`mo`) be spent again."""
    given = _reason(reason)
    opens = words.plain(given) in ("mo", "mo lai", "open")
    if opens:
        loyalty.unfreeze(ctx.session, customer.id, ctx.now)
    else:
        ledger.freeze(ctx.session, customer.id, given, ctx.now)
    ctx.audit("points.unfreeze" if opens else "points.freeze", "customer", customer.id)
    ctx.reply("points_frozen", name=customer.name, opens=opens, reason=given)


@router.command(
    "thudiem", "thử điểm", "explain", usage="/thudiem <mã đơn>", vi="vì sao đơn được chừng đó điểm, từng quy tắc",
    group=Group.MONEY, may=Permission.LOOK_UP, examples=("/thudiem DH1024",),
)  # fmt: skip
def explain(ctx: StaffContext, code: Text) -> None:
    """Say which rules fired for an order, which did not and why, and what the ledger holds of it."""
    found = orders.with_code(ctx.session, code, _ORDERS)
    if not found:
        raise NotFound(f"Không có đơn “{code}”.", f"There is no order “{code}”.")
    for order in found:
        reckoning, written = loyalty.explain(ctx.session, order)
        ctx.reply(
            "points_explained", order=order, name=customer(ctx, order.customer_id).name, reckoning=reckoning,
            due=reckoning.due.get(SPEND, 0), held=sum(entry.points for entry in written),
        )  # fmt: skip


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Misread("reason", "Thiếu lý do (tối đa 200 ký tự).", "Missing: why, in 200 characters at most.")
    return reason


def _actor(ctx: StaffContext) -> str:
    return f"staff:{ctx.member.id}"


def _who(ctx: StaffContext, asked: Adjustment) -> str:
    """Who asked, by name."""
    kind, _, name = asked.asked_by.partition(":")
    return staff.find(ctx.session, int(name)).name if kind == "staff" else name or kind
