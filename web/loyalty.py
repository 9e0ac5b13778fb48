"""Points at the counter: who stands there, what they hold, and spending it in one step or in two."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, model_validator
from sqlmodel import Session

from crm import customers, gifts, loyalty, membership, orders, phones, referrals
from crm.errors import Invalid
from crm.ledger import SPEND
from crm.loyalty import Card
from crm.programme import Event
from storage.loyalty import Entry
from web.fields import ExternalId, Phone, RowId, row_id
from web.operations import Call, Exact, Operation, Params
from web.orders import OrderParams

Key = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="Your own id of this step, such as the receipt's number: the same key again changes nothing."),
]


class WhoParams(Params):
    """Who stands at the counter: one of these."""

    customer: ExternalId | None = None
    phone: Phone | None = None
    code: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> WhoParams:
        if sum(value is not None for value in (self.customer, self.phone, self.code)) != 1:
            raise ValueError("give one of customer, phone and code")
        return self


class MemberParams(Params):
    """Which customer."""

    external_id: ExternalId


class EntriesParams(MemberParams):
    """Whose entries, and where the list goes on."""

    cursor: RowId | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class EventIn(Exact):
    """Something a customer did that is no order; first orders come with their order.

    A `referral` names the `friend` whom the customer brought. Nothing is given at once: both are rewarded after the
    friend's first delivered order, and once, also where the friend used the member's code in a chat.
    """

    customer: ExternalId
    event: Annotated[Event, Field(strict=False)]
    key: Key
    friend: ExternalId | None = None


class ComingOut(BaseModel):
    """Points that change at a moment; null where that depends on an order."""

    points: int
    at: datetime | None


class TierOut(BaseModel):
    """Where the customer stands, in đồng: what is missing to the next tier, and to keep this one, and by when."""

    code: str
    name: str
    next: str | None
    missing_to_next: int
    next_by: datetime | None
    missing_to_keep: int
    keep_by: datetime | None


class CardOut(BaseModel):
    """What a customer holds. `spendable` can be spent now; `owed` is repaid by what comes next."""

    customer: str
    name: str
    code: str | None
    balance: int
    spendable: int
    reserved: int
    owed: int
    waiting: list[ComingOut]
    expiring: ComingOut | None
    tier: TierOut | None
    frozen: bool


class MemberCodeOut(BaseModel):
    """The code on a member's card."""

    code: str


class LedgerEntryOut(BaseModel):
    """Points that came or went."""

    id: str
    kind: str
    points: int
    reason: str
    order: bool
    at: datetime
    happened_at: datetime


class EntriesOut(BaseModel):
    """A customer's entries, newest first; `next` is the cursor of those before them, null at the end."""

    entries: list[LedgerEntryOut]
    next: str | None


class StepOut(BaseModel):
    """One rule, and why it fired or did not."""

    rule: str
    vi: str
    en: str
    currency: str
    points: int
    fired: bool
    why: str


class ExplainedOut(BaseModel):
    """What an order earns as it is now, rule by rule, and what the ledger holds of it."""

    programme: int | None
    total: Annotated[int, Field(description="Đồng, after refunds.")]
    earns: bool
    points: int
    steps: list[StepOut]
    entries: list[LedgerEntryOut]


class GiftsOut(BaseModel):
    """What an event brought; nothing where it counted before, or the programme gives nothing for it."""

    points: int
    spendable: int


async def find(call: Call[WhoParams, None]) -> CardOut:
    """Look up who stands at the counter, by phone, by the code on their card, or by your own id."""
    return await call.database.read(lambda session: card_of(session, _who(session, call.params), call.now))


async def card(call: Call[MemberParams, None]) -> CardOut:
    """Read what a customer holds."""
    return await call.database.read(lambda session: card_of(session, call.params.external_id, call.now))


async def issue_code(call: Call[MemberParams, None]) -> MemberCodeOut:
    """Give the code on a member's card, made when it is first asked for. It says who stands there and opens nothing."""

    def write(session: Session) -> str:
        return membership.issue_code(session, customers.find(session, call.params.external_id).id, call.now)

    return MemberCodeOut(code=await call.database.write(write))


async def entries(call: Call[EntriesParams, None]) -> EntriesOut:
    """Read a customer's entries."""
    before = row_id(call.params.cursor) if call.params.cursor else None

    def read(session: Session) -> EntriesOut:
        customer = customers.find(session, call.params.external_id).id
        found = loyalty.history(session, customer, call.params.limit, before)
        following = str(found[-1].id) if len(found) == call.params.limit else None
        return EntriesOut(entries=[_entry(each) for each in found], next=following)

    return await call.database.read(read)


async def explain(call: Call[OrderParams, None]) -> ExplainedOut:
    """Say which rules fired for an order, which did not, and why."""

    def read(session: Session) -> ExplainedOut:
        order = orders.find(session, call.params.source, call.params.external_id)
        reckoning, written = loyalty.explain(session, order)
        steps = [
            StepOut(
                rule=step.rule, vi=step.vi, en=step.en, currency=step.currency, points=step.points,
                fired=step.fired, why=step.why,
            )
            for step in reckoning.evaluation.steps
        ]  # fmt: skip
        return ExplainedOut(
            programme=reckoning.programme.version, total=reckoning.purchase.total, earns=reckoning.earns,
            points=reckoning.due.get(SPEND, 0), steps=steps, entries=[_entry(each) for each in written],
        )  # fmt: skip

    return await call.database.read(read)


async def tell_event(call: Call[Params, EventIn]) -> GiftsOut:
    """Tell of a sign-up, a birthday, a review or a referral; it counts as often as the programme says."""
    said = call.body
    if said.event is Event.FIRST_ORDER:
        raise Invalid("event", "Đơn đầu tiên đi cùng đơn hàng.", "A first order comes with its order.")
    if said.event is Event.REFERRED:
        raise Invalid("event", "Gửi referral kèm friend.", "Tell the referral, with the friend: both are rewarded.")

    if (said.friend is not None) != (said.event is Event.REFERRAL):
        raise Invalid("friend", "Chỉ referral có friend.", "A referral names the friend, and nothing else does.")

    def write(session: Session) -> GiftsOut:
        customer = by_name(session, said.customer)
        if said.friend is not None:
            friend = customers.find(session, said.friend, field="friend").id
            referrals.tell(session, customer, friend, call.now)
            return GiftsOut(points=0, spendable=loyalty.card(session, customer, call.now).spendable)
        given = gifts.give(session, customer, said.event, said.key, call.now, "api")
        points = sum(each.points for each in given)
        return GiftsOut(points=points, spendable=loyalty.card(session, customer, call.now).spendable)

    return await call.database.write(write)


def _who(session: Session, params: WhoParams) -> str:
    if params.customer is not None:
        return params.customer
    if params.code is not None:
        return customers.name_of(session, membership.by_code(session, params.code))
    return customers.by_number(session, phones.normalise(params.phone or "") or "")


def by_name(session: Session, external_id: str) -> int:
    """The id of a customer whom the body names. Raises NotFound."""
    return customers.find(session, external_id, field="customer").id


def card_of(session: Session, external_id: str, now: datetime) -> CardOut:
    """What a customer holds. Raises NotFound."""
    profile = customers.find(session, external_id)
    held = loyalty.card(session, profile.id, now)
    return CardOut(
        customer=external_id,
        name=profile.name,
        code=membership.code_of(session, profile.id),
        balance=held.balance,
        spendable=held.spendable,
        reserved=held.held,
        owed=held.debt,
        waiting=[ComingOut(points=each.points, at=each.at) for each in held.waiting],
        expiring=ComingOut(points=held.expiring.points, at=held.expiring.at) if held.expiring else None,
        tier=_tier(held),
        frozen=held.frozen,
    )


def _tier(held: Card) -> TierOut | None:
    found = held.standing
    if found.tier is None:
        return None
    return TierOut(
        code=found.tier.code, name=found.tier.vi, next=found.next.code if found.next else None,
        missing_to_next=found.missing_to_next, next_by=found.next_by, missing_to_keep=found.missing_to_keep,
        keep_by=found.keep_by,
    )  # fmt: skip


def _entry(entry: Entry) -> LedgerEntryOut:
    return LedgerEntryOut(
        id=str(entry.id), kind=entry.kind, points=entry.points, reason=entry.reason, order=entry.order_id is not None,
        at=entry.at, happened_at=entry.effective_at,
    )  # fmt: skip


_ONE = "/loyalty/customers/{external_id}"
OPERATIONS = (
    Operation("GET", "/loyalty/member", "findMember", "Look up who stands at the counter", WhoParams, None, CardOut,
              find),
    Operation("GET", _ONE, "getCard", "Read what a customer holds", MemberParams, None, CardOut, card),
    Operation("POST", f"{_ONE}/code", "issueMemberCode", "Give the code of a member's card", MemberParams, None,
              MemberCodeOut, issue_code),
    Operation("GET", f"{_ONE}/entries", "listEntries", "Read a customer's entries", EntriesParams, None, EntriesOut,
              entries),
    Operation("GET", "/loyalty/orders/{source}/{external_id}", "explainOrder", "Say why an order earned what it did",
              OrderParams, None, ExplainedOut, explain),
    Operation("POST", "/loyalty/events", "tellEvent", "Tell of a sign-up, birthday, review or referral", Params,
              EventIn, GiftsOut, tell_event),
)  # fmt: skip
