"""How content a customer was: a score by button or digit, then a few words if they like."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.context import Context
from bot.router import Router
from bot.understanding import SURE, understand
from crm import ratings

router = Router("ratings")

COMMENT_WITHIN = timedelta(hours=2)
_SCORE = re.compile(r"\s*([1-5])\s*(?:sao|điểm|diem|stars?|⭐|/\s*5)?\s*[.!]*\s*", re.IGNORECASE)


@router.button("rate")
def take_pressed(ctx: Context) -> None:
    """Note the score of the button; one that was never asked for is answered with the thanks alone."""
    number, _, score = ctx.argument.partition(":")
    if number.isdecimal() and len(number) < 10 and score.isdecimal():
        _note(ctx, int(number), int(score[:2]))


@router.answer
def take_score(ctx: Context) -> bool:
    """Note a digit from 1 to 5; everything else does not answer the question."""
    said = _SCORE.fullmatch(ctx.text)
    if said is None or not ctx.data.get("ticket"):
        return False
    _note(ctx, ctx.data["ticket"], int(said[1]))
    return True


@router.answer
def take_comment(ctx: Context) -> bool:
    """Keep what the customer adds; thanks say nothing, and another wish is handled as one."""
    meaning = understand(ctx.text)
    if meaning.confidence >= SURE and meaning.intent in ("thanks", "yes"):
        ctx.reply("ratings/kept")
        return True
    if not ctx.text.strip() or (meaning.intent and meaning.confidence >= SURE and meaning.intent != "support.open"):
        return False
    ratings.comment(ctx.session, ctx.data["ticket"], ctx.text.strip())
    ctx.reply("ratings/kept")
    return True


def _note(ctx: Context, number: int, score: int) -> None:
    if ratings.rate(ctx.session, number, ctx.customer.identity_id, score, ctx.now):
        low = score <= ratings.LOW
        data = {"ticket": number}
        ctx.ask("ratings/given", then=take_comment, within=COMMENT_WITHIN, data=data, number=number, low=low)
    else:
        ctx.reply("ratings/kept")
