"""Stamp cards: stamps are kept in the ledger like points, and a full card becomes a voucher, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from crm import ledger, posting, programmes, vouchers
from crm.errors import Invalid, NotFound
from crm.ledger import Fact, Terms
from crm.programme import Programme, Reward, StampCard
from crm.vouchers import VoucherRow
from storage import customers as people
from storage import members
from storage import vouchers as store

MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """A card as its owner sees it: so many stamps count, so many wait for an order."""

    card: StampCard
    reward: Reward
    stamps: int
    waiting: int

    @property
    def missing(self) -> int:
        """How many are missing to a full one."""
        return max(0, self.card.stamps - self.stamps)


def standings(session: Session, customer_id: int, now: datetime) -> list[Standing]:
    """A customer's cards, one for each that the programme has."""
    programme, found = programmes.at(session, now), []
    for card in programme.stamp_cards:
        reward, held = programme.reward(card.reward), ledger.holding(session, customer_id, card.currency)
        if reward is not None:
            found.append(Standing(card, reward, max(0, held.spendable - held.debt), held.pending))
    return found


def give(session: Session, customer_id: int, stamps: int, card: str, fact: Fact) -> list[VoucherRow]:
    """Stamp a card by hand; the vouchers that came of it. `card` "" where there is one alone.

    Raises NotFound, and Invalid. The same fact again changes nothing.
    """
    if not 1 <= stamps <= MOST_AT_ONCE:
        raise Invalid(
            "stamps", f"Mỗi lần đóng từ 1 đến {MOST_AT_ONCE} tem.", f"Give 1 to {MOST_AT_ONCE} stamps at once."
        )
    programme = programmes.at(session, fact.now)
    currency = _card(programme, card).currency
    terms = Terms(None, programme.expires_at(fact.now))
    ledger.earn(session, customer_id, stamps, fact, currency, terms)
    return fill(session, customer_id, fact.now)


def fill(session: Session, customer_id: int, now: datetime) -> list[VoucherRow]:
    """Let every full card of a customer become a voucher; those that came of it. Called again it changes nothing.

    Not while the customer's points are frozen; the stamps stay then.
    """
    programme = programmes.at(session, now)
    if not programme.stamp_cards:
        return []
    people.lock(session, [customer_id])
    near = [
        card
        for card in programme.stamp_cards
        if ledger.holding(session, customer_id, card.currency).balance >= card.stamps
    ]
    if not near or members.frozen_among(session, [customer_id]):
        return []
    return [voucher for card in near for voucher in _filled(session, customer_id, card, programme, now)]


def fill_many(session: Session, customer_ids: Sequence[int], now: datetime) -> None:
    """The same for several customers, who are held."""
    for customer_id in customer_ids:
        fill(session, customer_id, now)


def _filled(
    session: Session, customer_id: int, card: StampCard, programme: Programme, now: datetime
) -> Iterator[VoucherRow]:
    reward = programme.reward(card.reward)
    assert reward is not None
    posting.caught_up(session, customer_id, card.currency, now)
    full = ledger.holding(session, customer_id, card.currency).spendable // card.stamps
    before = store.count(session, customer_id, card.currency)
    for number in range(before, before + full):
        key = f"card:{customer_id}:{card.currency}:{number}"
        fact = Fact(key=key, now=now, reason=card.vi, programme=programme.version)
        paid = ledger.redeem(session, customer_id, card.stamps, fact, card.currency)
        yield vouchers.issue(session, customer_id, reward, paid, card.currency, fact, programme)


def _card(programme: Programme, name: str) -> StampCard:
    cards = programme.stamp_cards
    if not cards:
        raise NotFound("Chương trình không có thẻ tem.", "The programme has no stamp card.", field="card")
    if not name and len(cards) == 1:
        return cards[0]
    for card in cards:
        if name.casefold() in (card.currency, card.currency.partition(":")[2]):
            return card
    known = ", ".join(card.currency.partition(":")[2] or card.currency for card in cards)
    raise NotFound(f"Thẻ nào: {known}?", f"Which card: {known}?", field="card")
