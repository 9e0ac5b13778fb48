"""Vouchers: a code that counts once or several times until a day; reserved, redeemed and released, each once.

Whatever changes a voucher holds its customer first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from crm import codes, posting
from crm.errors import Conflict, CrmError, Invalid, NotFound
from crm.ledger import Entry, Fact, Posted
from crm.posting import KeyTaken
from crm.programme import Programme, Reward, midnight_after
from storage import customers as people
from storage import vouchers as store
from storage.columns import new_id
from storage.vouchers import REDEEMED, RELEASED, RESERVED
from storage.vouchers import VoucherRow as VoucherRow

GUESSES = 20
GUESS_WINDOW = timedelta(hours=1)
SHOWN = 10
"""How many a customer is told of."""

PAID = "reward:"
"""How the key of the entry begins by which a voucher was paid for; the key of the voucher's own fact follows."""

_LENGTH = 12
_TRIES = 10


class State(StrEnum):
    """How a voucher stands. RESERVED: all uses that are left are set aside."""

    USABLE = "usable"
    RESERVED = "reserved"
    USED = "used"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class TooManyGuesses(CrmError):
    """Somebody tried too many codes that nobody has."""

    status = 429
    code = "too_many_guesses"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step: how the sale's use stands, the voucher after it, and whether it had been told before."""

    state: str
    until: datetime | None
    voucher: VoucherRow
    repeated: bool


def state(voucher: VoucherRow, now: datetime) -> State:
    """How a voucher stands at the moment at which it was read."""
    if voucher.cancelled_at is not None:
        return State.CANCELLED
    if voucher.redeemed >= voucher.uses:
        return State.USED
    if voucher.expires_at <= now:
        return State.EXPIRED
    return State.USABLE if voucher.left > 0 else State.RESERVED


def shown(code: str) -> str:
    """A code as people read it out: in groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def of_customer(session: Session, customer_id: int, now: datetime, most: int = SHOWN) -> list[VoucherRow]:
    """A customer's vouchers that still count, the soonest expiring first."""
    return store.living(session, customer_id, now, most)


def find(session: Session, voucher_id: int, now: datetime) -> VoucherRow:
    """One voucher. Raises NotFound."""
    found = store.one(session, voucher_id, now)
    if found is None:
        raise NotFound("Không có voucher này.", "There is no such voucher.", field="code")
    return found


def paid_by(session: Session, entry: Entry, now: datetime) -> VoucherRow | None:
    """The voucher that this entry paid for."""
    found = store.by_key(session, entry.source_key.removeprefix(PAID), now)
    return found if found is not None and found.entry_id == entry.id else None


def resolve(session: Session, code: str, asker: str, now: datetime) -> int | CrmError:
    """The voucher with this code, however it is typed; or why not, which is to be raised once this is committed.

    A code that nobody has is counted: after so many in an hour its asker is told of none. A mistyped one, which its
    check character shows, is no guess.
    """
    tidied = codes.tidy(code)
    if not codes.is_code(tidied, _LENGTH):
        return Invalid(
            "code", "Mã voucher không đúng; bạn xem lại từng ký tự nhé.", "This is no voucher's code: look again."
        )  # fmt: skip
    if store.count_guesses(session, asker, now - GUESS_WINDOW) >= GUESSES:
        return TooManyGuesses(
            "Đã thử quá nhiều mã sai; một giờ nữa hãy thử lại.",
            "Too many wrong codes: try again in an hour.",
            field="code",
        )
    found = store.id_of(session, tidied)
    if found is None:
        store.add_guess(session, asker, now, now - GUESS_WINDOW)
        return NotFound("Không có voucher này.", "There is no such voucher.", field="code")
    return found


def issue(
    session: Session, customer_id: int, reward: Reward, paid: Posted, currency: str, fact: Fact, programme: Programme
) -> VoucherRow:
    """A new voucher for what was paid. Raises KeyTaken where the fact brought another one. The customer is held."""
    last = fact.now.astimezone(programme.zone).date() + timedelta(days=reward.valid_days)
    row = {
        "id": new_id(), "customer_id": customer_id, "reward": reward.code, "vi": reward.vi, "en": reward.en,
        "uses": reward.uses, "amount": reward.amount, "percent": reward.percent, "source_key": fact.key,
        "entry_id": paid.entry_id, "currency": currency, "points": -paid.points, "actor": fact.actor,
        "created_at": fact.now, "expires_at": midnight_after(last, programme.zone), "cancelled_at": None,
    }  # fmt: skip
    for _ in range(_TRIES):
        if store.add(session, {**row, "code": codes.new(_LENGTH)}):
            return find(session, row["id"], fact.now)  # type: ignore[arg-type]
    raise KeyTaken


def hold(session: Session, voucher_id: int, now: datetime) -> VoucherRow:
    """The voucher as it stands, with its customer held. Raises NotFound."""
    owner = find(session, voucher_id, now).customer_id
    while people.lock(session, [owner]) and find(session, voucher_id, now).customer_id != owner:
        owner = find(session, voucher_id, now).customer_id
    return find(session, voucher_id, now)


def reserve(session: Session, voucher_id: int, fact: Fact, until: datetime, customer_id: int | None = None) -> Done:
    """Set a use aside for a sale until then. Raises Conflict, and Frozen."""
    if until <= fact.now:
        raise Invalid("minutes", "Thời hạn giữ đã qua.", "A reservation must end later than now.")
    voucher = hold(session, voucher_id, fact.now)
    refuse_others(voucher, customer_id)
    found = store.use(session, voucher_id, fact.key)
    if found is not None:
        if found.state != RESERVED or (found.until and found.until <= fact.now):
            raise _over(found.state)
        return Done(RESERVED, found.until, voucher, repeated=True)
    refuse(session, voucher, fact.now)
    return _used(session, voucher_id, fact, RESERVED, until)


def redeem(session: Session, voucher_id: int, fact: Fact, customer_id: int | None = None) -> Done:
    """Let a voucher count for a sale, reserved for it or not; again, it answers the same. Raises Conflict, and Frozen.

    What is reserved in time counts, even where the voucher expired meanwhile.
    """
    voucher = hold(session, voucher_id, fact.now)
    refuse_others(voucher, customer_id)
    found = store.use(session, voucher_id, fact.key)
    if found is not None and found.state == REDEEMED:
        return Done(REDEEMED, None, voucher, repeated=True)
    if found is not None and found.state == RELEASED:
        raise _over(RELEASED)
    if found is None or (found.until is not None and found.until <= fact.now):
        refuse(session, voucher, fact.now)
    else:
        posting.refuse_frozen(session, voucher.customer_id)
    if found is None:
        return _used(session, voucher_id, fact, REDEEMED, None)
    store.set_use(session, found.id, REDEEMED, None, fact.now)
    return Done(REDEEMED, None, find(session, voucher_id, fact.now), repeated=False)


def release(session: Session, voucher_id: int, fact: Fact) -> Done:
    """Let go of what a sale reserved or redeemed: the sale came to nothing. Again, it answers the same.

    A voucher whose time is over meanwhile stays expired. Raises NotFound.
    """
    voucher = hold(session, voucher_id, fact.now)
    found = store.use(session, voucher_id, fact.key)
    if found is None:
        raise NotFound("Giao dịch này chưa dùng voucher.", "This sale did not use the voucher.", field="key")
    if found.state == RELEASED:
        return Done(RELEASED, None, voucher, repeated=True)
    store.set_use(session, found.id, RELEASED, None, fact.now)
    return Done(RELEASED, None, find(session, voucher_id, fact.now), repeated=False)


def carry_over(session: Session, source: int, target: int) -> None:
    """One customer's vouchers become another's, who they turned out to be. The caller holds both."""
    store.move(session, source, target)


def refuse(session: Session, voucher: VoucherRow, now: datetime) -> None:
    """Raises Conflict where a voucher does not count now, and Frozen where its customer's points are frozen."""
    match state(voucher, now):
        case State.CANCELLED:
            raise Conflict("Voucher này đã hủy.", "This voucher was cancelled.", field="code")
        case State.USED:
            raise Conflict("Voucher này đã dùng hết lượt.", "This voucher is used up.", field="code")
        case State.EXPIRED:
            raise Conflict("Voucher này đã hết hạn.", "This voucher has expired.", field="code")
        case State.RESERVED:
            raise Conflict(
                "Voucher này đang được giữ cho một lần mua khác.",
                "This voucher is reserved for another sale.",
                field="code",
            )
    posting.refuse_frozen(session, voucher.customer_id)


def refuse_others(voucher: VoucherRow, customer_id: int | None) -> None:
    """Raises Conflict where a customer is named whose voucher this is not."""
    if customer_id not in (None, voucher.customer_id):
        raise Conflict("Voucher này của khách khác.", "This voucher is another customer's.", field="customer")


def _over(how: str) -> Conflict:
    if how == REDEEMED:
        return Conflict("Giao dịch này đã dùng voucher rồi.", "This sale used the voucher already.", field="key")
    return Conflict(
        "Lần giữ của giao dịch này đã kết thúc; hãy dùng mã giao dịch mới.",
        "This sale's reservation is over: use a new key.",
        field="key",
    )


def _used(session: Session, voucher_id: int, fact: Fact, how: str, until: datetime | None) -> Done:
    row = {
        "id": new_id(), "voucher_id": voucher_id, "source_key": fact.key, "state": how, "until": until,
        "actor": fact.actor, "at": fact.now,
    }  # fmt: skip
    store.add_use(session, row)
    return Done(how, until, find(session, voucher_id, fact.now), repeated=False)
