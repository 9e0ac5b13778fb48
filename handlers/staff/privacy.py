"""Requests of customers about their own data: who asked for what, by when, and that it was done."""

from __future__ import annotations

from functools import partial

from bot.staff.context import StaffContext
from bot.staff.kinds import Text, customer
from bot.staff.router import Group, StaffRouter
from crm import erasure, numbers, privacy, times, words
from crm.errors import Invalid
from crm.privacy import Kind, Request
from crm.staff import Permission
from storage import customers

router = StaffRouter("privacy")

_ANSWERED, _DONE, _REFUSED = ("nhan", "answered"), ("xong", "done"), ("tuchoi", "tu choi", "refuse")


@router.command(
    "dulieu", "dữ liệu", "privacy", usage="/dulieu [số] [nhan | xong | tuchoi <lý do>]",
    vi="yêu cầu của khách về dữ liệu của họ: đã trả lời, xong, từ chối", group=Group.CUSTOMER, may=Permission.PRIVACY,
    examples=("/dulieu", "/dulieu 3", "/dulieu 3 nhan", "/dulieu 3 xong", "/dulieu 3 tuchoi không phải chủ tài khoản"),
)  # fmt: skip
def requests(ctx: StaffContext, number: int = 0, what: Text | None = None) -> None:
    """List the requests about personal data; note that one is answered, done or refused."""
    if not number:
        ctx.reply("data_requests", rows=tuple(_row(ctx, each) for each in privacy.open_requests(ctx.session)))
        return
    request, said = privacy.find(ctx.session, number), words.plain(what or "")
    if not said:
        _show(ctx, request)
    elif said in _ANSWERED:
        _set(ctx, request, "answered" if privacy.answered(ctx.session, number, ctx.now) else "same")
    elif said in _DONE:
        _finish(ctx, request)
    elif said.startswith(_REFUSED):
        why = (what or "").split(maxsplit=2 if said.startswith("tu choi") else 1)
        privacy.refuse(ctx.session, number, ctx.now, _actor(ctx), why[-1] if len(why) > 1 else "")
        _set(ctx, request, "refused")
    else:
        raise Invalid("what", "Ghi nhan, xong hoặc tuchoi <lý do>.", "Write answered, done, or refuse and why.")


def _show(ctx: StaffContext, request: Request) -> None:
    """What was asked for in which words, how it stands, and what to do next."""
    _, name, answer_by, due = _row(ctx, request)
    there = customers.person(ctx.session, request.identity_id) if request.identity_id else None
    number = ctx.numbers(numbers.CONVERSATION, [request.identity_id])[0] if request.identity_id and there else 0
    told = partial(times.told, zone=ctx.office.zone, now=ctx.now, locale=ctx.locale)
    ctx.reply(
        "data_request_one", request=request, name=name, number=number, answer_by=answer_by, due=due,
        asked=told(request.requested_at), ended=told(request.ended_at) if request.ended_at else "",
    )  # fmt: skip


def _finish(ctx: StaffContext, request: Request) -> None:
    """What was asked for is done; erasing is done now, after a preview."""
    if request.kind != Kind.ERASE:
        privacy.done(ctx.session, request.id, ctx.now, _actor(ctx))
        _set(ctx, request, "done")
        return
    if not ctx.confirmed("data_erase", name=customer(ctx, request.customer_id).name, number=request.id):
        return
    erasure.carry_out(
        ctx.session, request.id, secret_key=ctx.office.secret_key, now=ctx.now, by=_actor(ctx)
    )  # fmt: skip
    _set(ctx, request, "erased")


def _set(ctx: StaffContext, request: Request, change: str) -> None:
    if change != "same":
        ctx.audit(f"privacy.{change}", "customer", request.customer_id, f"#{request.id}")
    ctx.reply("data_request_set", number=request.id, change=change)


def _row(ctx: StaffContext, request: Request) -> tuple[Request, str, str, str]:
    zone, locale = ctx.office.zone, ctx.locale
    by = times.near(request.answer_by, zone, ctx.now, locale) if request.answer_by else ""
    return request, customer(ctx, request.customer_id).name, by, times.near(request.due_at, zone, ctx.now, locale)


def _actor(ctx: StaffContext) -> str:
    return f"staff:{ctx.member.id}"
