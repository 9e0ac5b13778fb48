"""The catalogue: what members may take for their points, taken once for one wish, and given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session

from crm import ledger, loyalty, membership, posting, programmes, vouchers
from crm.errors import Conflict, NotFound
from crm.ledger import SPEND, Fact
from crm.posting import KeyTaken
from crm.programme import Programme, Reward, Tier
from crm.vouchers import State, VoucherRow
from storage import customers as people
from storage import rewards as stock
from storage import vouchers as store


class Why(StrEnum):
    """Why a customer cannot take a reward now; OPEN: they can."""

    OPEN = "open"
    TOO_FEW_POINTS = "too_few_points"
    OTHER_TIER = "other_tier"
    SOLD_OUT = "sold_out"
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class Offer:
    """A reward as a customer sees it: what is left of it (None: not bounded), and whether it is theirs to take."""

    reward: Reward
    left: int | None
    lacking: int
    tiers: tuple[Tier, ...]
    why: Why


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is offered now, and what the customer can spend."""

    spendable: int
    frozen: bool
    offers: tuple[Offer, ...]


def catalogue(session: Session, customer_id: int, now: datetime) -> Catalogue:
    """What is offered to a customer now, the cheapest first, with what they cannot take and why."""
    programme, card = programmes.at(session, now), loyalty.card(session, customer_id, now)
    gone, had = stock.taken(session), store.taken(session, customer_id, SPEND)
    tier = card.standing.tier.code if card.standing.tier else ""
    today = now.astimezone(programme.zone).date()
    offered = sorted(
        (each for each in programme.rewards if each.points is not None and _is_on(each, today)),
        key=lambda each: (each.points, each.code),
    )
    levels = programme.tiers.levels
    offers = tuple(_offer(each, card.spendable, tier, gone, had, levels) for each in offered)
    return Catalogue(card.spendable, card.frozen, offers)


def offer(session: Session, customer_id: int, code: str, now: datetime) -> Offer:
    """One reward as it is offered to a customer now. Raises NotFound."""
    for each in catalogue(session, customer_id, now).offers:
        if each.reward.code == code:
            return each
    raise _unknown()


def take(
    session: Session, customer_id: int, code: str, fact: Fact, points: int | None = None
) -> tuple[VoucherRow, bool]:
    """A voucher for points, and whether this fact had brought it before.

    `points` is the price that was shown: another one by now is refused. Raises NotFound, KeyTaken, Conflict, NotEnough,
    Frozen, and has changed nothing then.
    """
    people.lock(session, [customer_id])
    if done := store.by_key(session, fact.key, fact.now):
        if (done.customer_id, done.reward) != (customer_id, code):
            raise KeyTaken
        return done, True
    programme = programmes.at(session, fact.now)
    reward, price = _on_offer(programme, code, fact.now)
    if points not in (None, price):
        raise Conflict("Giá của quà này đã đổi.", "This reward's price has changed.", field="points")
    posting.refuse_frozen(session, customer_id)
    _refuse(session, customer_id, reward, fact.now)
    posting.chosen(session, customer_id, price, SPEND, fact.now)
    if not stock.claim(session, code, reward.stock):
        raise _refusals(Why.SOLD_OUT)
    paid = ledger.redeem(session, customer_id, price, _paying(fact, reward, programme))
    return vouchers.issue(session, customer_id, reward, paid, SPEND, fact, programme), False


def give_back(session: Session, voucher_id: int, fact: Fact) -> VoucherRow:
    """Take a voucher back that was not used, and give its points back. Again, it changes nothing.

    Raises Conflict where it is used, reserved or expired, and Conflict where it came of a stamp card.
    """
    voucher = vouchers.hold(session, voucher_id, fact.now)
    state = vouchers.state(voucher, fact.now)
    if state is State.CANCELLED:
        return voucher
    if voucher.currency != SPEND:
        raise Conflict(
            "Voucher của thẻ tem không hủy được.", "A stamp card's voucher cannot be cancelled.", field="code"
        )
    if voucher.redeemed or voucher.reserved:
        raise Conflict("Voucher này đã dùng hoặc đang được giữ.", "This voucher is used or reserved.", field="code")
    if state is State.EXPIRED:
        raise Conflict("Voucher này đã hết hạn.", "This voucher has expired.", field="code")
    loyalty.give_back(session, voucher.entry_id, fact)
    store.cancel(session, voucher_id, fact.now)
    stock.put_back(session, voucher.reward)
    return vouchers.find(session, voucher_id, fact.now)


def _on_offer(programme: Programme, code: str, now: datetime) -> tuple[Reward, int]:
    reward = programme.reward(code)
    if reward is None or reward.points is None or not _is_on(reward, now.astimezone(programme.zone).date()):
        raise _unknown()
    return reward, reward.points


def _unknown() -> NotFound:
    return NotFound("Quà này không còn trong chương trình.", "This reward is not offered.", field="reward")


def _is_on(reward: Reward, today: date) -> bool:
    return (reward.since is None or reward.since <= today) and (reward.until is None or today <= reward.until)


def _offer(
    reward: Reward, spendable: int, tier: str, gone: dict[str, int], had: dict[str, int], levels: Sequence[Tier]
) -> Offer:
    left = None if reward.stock is None else max(0, reward.stock - gone.get(reward.code, 0))
    lacking = max(0, (reward.points or 0) - spendable)
    if left == 0:
        why = Why.SOLD_OUT
    elif reward.tiers and tier not in reward.tiers:
        why = Why.OTHER_TIER
    elif reward.per_person is not None and had.get(reward.code, 0) >= reward.per_person:
        why = Why.ENOUGH
    else:
        why = Why.TOO_FEW_POINTS if lacking else Why.OPEN
    return Offer(reward, left, lacking, tuple(level for level in levels if level.code in reward.tiers), why)


def _refuse(session: Session, customer_id: int, reward: Reward, now: datetime) -> None:
    tier = membership.standing(session, customer_id, now).tier if reward.tiers else None
    if reward.tiers and (tier is None or tier.code not in reward.tiers):
        raise _refusals(Why.OTHER_TIER)
    had = store.taken(session, customer_id, SPEND).get(reward.code, 0)
    if reward.per_person is not None and had >= reward.per_person:
        raise _refusals(Why.ENOUGH)


def _refusals(why: Why) -> Conflict:
    words = {
        Why.SOLD_OUT: ("Quà này đã hết.", "This reward is sold out."),
        Why.OTHER_TIER: ("Quà này dành cho hạng khác.", "This reward is for another tier."),
        Why.ENOUGH: ("Bạn đã đổi đủ số lần của quà này.", "You took this reward as often as one may."),
    }
    return Conflict(*words[why], field="reward")


def _paying(fact: Fact, reward: Reward, programme: Programme) -> Fact:
    return Fact(
        key=f"{vouchers.PAID}{fact.key}", now=fact.now, reason=reward.vi, programme=programme.version, actor=fact.actor
    )  # fmt: skip
