"""Customers as the POS knows them, and how the people in the chats are joined to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from sqlmodel import Session

from crm import (
    codes,
    consent,
    fields,
    gifts,
    ledger,
    notes,
    phones,
    privacy,
    referrals,
    stamps,
    tags,
    tickets,
    vouchers,
)
from crm.errors import Conflict, Invalid, NotFound
from crm.programme import Event
from storage import care_recipients, recipients, search, served
from storage import customers as store
from storage.columns import new_id
from storage.customers import Person
from storage.customers import Profile as Profile

CODE_LIFE = timedelta(days=30)
GUESSES = 5
GUESS_WINDOW = timedelta(hours=1)

_CODE_LENGTH = 8
_PIECE = re.compile(r"[^\W_]+")


class Outcome(StrEnum):
    """What came of news from the POS. STALE news is older than what we have and changed nothing."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"


class Join(StrEnum):
    """What came of an attempt to join. AMBIGUOUS and REFUSED are for staff to settle.

    OTHER_NUMBER: the person is joined already, and nobody has the number that they shared now; it is not kept.
    """

    JOINED = "joined"
    ALREADY = "already"
    NO_MATCH = "no_match"
    OTHER_NUMBER = "other_number"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"


def put_customer(
    session: Session,
    external_id: str,
    *,
    now: datetime,
    name: str,
    phone: str = "",
    email: str = "",
    birthday: str = "",
    version: int | None = None,
) -> Outcome:
    """Take over what the POS says about a customer, in full: what it leaves out is empty afterwards.

    News with a smaller `version` than ours is stale; without a version the last news wins. People in a chat whose
    number their platform vouched for are joined to the customer who now has it. Raises Invalid for a bad phone.
    """
    number = _number(phone)
    given = {"name": name, "phone": number, "email": email, "birthday": birthday}
    outcome = _write(session, external_id, given, version, now)
    if outcome in (Outcome.CREATED, Outcome.UPDATED):
        search.refresh(session.connection(), [find(session, external_id).id])
    if number and outcome in (Outcome.CREATED, Outcome.UPDATED):
        _join_waiting(session, number, now)
        consent.follow_number(session, find(session, external_id).id, number, now)
    return outcome


def known(session: Session, external_id: str, now: datetime) -> int:
    """The id of the customer that the POS calls so; a stub without a name where the POS has not told us more."""
    found = store.external(session, external_id)
    if found is None:
        store.insert_external(session, _newborn(external_id, now))
        found = store.external(session, external_id)
        assert found is not None
        search.refresh(session.connection(), [found.id])
    return found.id


def find(session: Session, external_id: str, *, field: str = "external_id") -> Profile:
    """The customer that the POS calls so. Raises NotFound, which names the input's `field`."""
    found = store.external(session, external_id)
    if found is None:
        raise NotFound("Không có khách hàng này.", "There is no such customer.", field=field)
    return found


def by_number(session: Session, phone: str) -> str:
    """What the POS calls the one customer with this number. Raises NotFound, and Conflict where there are several."""
    number = phones.normalise(phone)
    found = store.ids_by_phone(session, number, chat_born=False) if number else []
    if len(found) > 1:
        raise Conflict("Nhiều khách có số này.", "Several customers have this number.", field="phone")
    if not found:
        raise NotFound("Không có khách nào có số này.", "Nobody has this number.", field="phone")
    return name_of(session, found[0])


def in_chat(session: Session, user_id: str) -> int | None:
    """The customer who writes under this id of a channel's, joined to one of the POS or not; None where nobody does.

    Raises Conflict where it is several people's, on different accounts.
    """
    owners = {each.customer_id for each in store.people(session, [user_id]).values() if each.staff_id is None}
    if len(owners) > 1:
        raise Conflict("Nhiều khách có mã chat này.", "Several customers have this id of a chat.", field="customer")
    return next(iter(owners), None)


def name_of(session: Session, customer_id: int) -> str:
    """What the POS calls a customer; "" for one born in a chat."""
    return store.external_ids(session, [customer_id]).get(customer_id, "")


def page(session: Session, after: int, most: int) -> list[Profile]:
    """POS customers with an id above `after`, by id."""
    return store.page(session, after, most)


def external_ids(session: Session, customer_ids: Collection[int]) -> dict[int, str]:
    """What the POS calls these customers, by id."""
    return store.external_ids(session, customer_ids)


def join_by_phone(session: Session, person: Person, phone: str, now: datetime) -> Join:
    """Join a person to the one POS customer with this number.

    Only for a number that the platform itself handed over (`ContactShared`), never for one that was typed: a typed
    number proves nothing. Where nobody has it yet, it is kept, and the person is joined as soon as the POS names it.
    """
    number = phones.normalise(phone)
    if number is None:
        return Join.NO_MATCH
    person = _now(session, person)
    matches = store.ids_by_phone(session, number, chat_born=False)
    if person.external_id is not None:
        if person.customer_id in matches:
            return Join.ALREADY
        return Join.REFUSED if matches else Join.OTHER_NUMBER
    if len(matches) != 1:
        store.change(session, person.customer_id, phone=number, updated_at=now)
        search.refresh(session.connection(), [person.customer_id])
        return Join.AMBIGUOUS if matches else Join.NO_MATCH
    return _join(session, person.customer_id, matches[0], now)


def by_phone(session: Session, customer_id: int, channel: str, account_id: str, now: datetime) -> Person | None:
    """A customer's phone number as somebody to write to from this account, made at first need; None without a number.

    Only approved templates go there, and nothing comes back but receipts.
    """
    known = store.profile(session, customer_id)
    if known is None or not known.phone:
        return None
    store.lock(session, [customer_id])
    address = phones.address(known.phone, customer_id)
    found = store.people(session, [address]).get((channel, account_id, address))
    if found is None:
        identity = {
            "id": new_id(), "customer_id": customer_id, "channel": channel, "account_id": account_id,
            "user_id": address, "created_at": now,
        }  # fmt: skip
        store.add_many(session, [], [identity], [{"id": identity["id"]}])
        found = store.people(session, [address])[channel, account_id, address]
    return found


def code_in(text: str) -> str:
    """The first code in these words whose check character is right, in capitals; "" for none.

    A code in pieces counts where nothing else is said or where it has a digit: else words would make one by chance.
    """
    pieces: list[str] = _PIECE.findall(text.upper())
    for start in range(len(pieces)):
        for count, code in enumerate(accumulate(pieces[start : start + _CODE_LENGTH]), 1):
            is_code = count in (1, len(pieces)) or any(letter.isdigit() for letter in code)
            if is_code and codes.is_code(code, _CODE_LENGTH):
                return code
    return ""


def looks_like_code(text: str) -> bool:
    """Whether these words are nothing but eight letters and digits, as a code is, be it right or mistyped."""
    tidy = codes.tidy(text)
    is_plain = tidy.isascii() and tidy.isalnum()
    return len(tidy) == _CODE_LENGTH and is_plain and any(letter.isdigit() for letter in tidy)


def join_by_code(session: Session, person: Person, code: str, now: datetime) -> Join:
    """Join a person to the customer whose code they typed. After five wrong codes in an hour all are refused."""
    person = _now(session, person)
    if store.count_guesses(session, person.identity_id, now - GUESS_WINDOW) >= GUESSES:
        return Join.REFUSED
    tidy = codes.tidy(code)
    owner = store.code_owner(session, _digest(tidy), now) if codes.is_code(tidy, _CODE_LENGTH) else None
    if owner is None:
        store.add_guess(session, person.identity_id, now, now - GUESS_WINDOW)
        return Join.NO_MATCH
    if person.external_id is not None:
        return Join.ALREADY if owner == person.customer_id else Join.REFUSED
    if store.use_code(session, _digest(tidy), now) is None:
        return Join.NO_MATCH
    return _join(session, person.customer_id, owner, now)


def refuse_join(session: Session, chat_born: int, owner: int) -> None:
    """Raises Conflict where staff cannot join a chat's customer to this one."""
    ours, theirs = store.profile(session, chat_born), store.profile(session, owner)
    if ours is None or ours.external_id is not None or ours.merged_into is not None:
        raise Conflict(
            "Chat này đã là của một khách POS.", "This chat is a customer's of the POS already.", field="chat"
        )
    if theirs is None or theirs.external_id is None:
        raise Conflict(
            "Cần khách của POS: mã khách hoặc số điện thoại.", "Name a customer of the POS: by code or phone number.",
            field="customer",
        )  # fmt: skip


def join_by_staff(session: Session, chat_born: int, owner: int, now: datetime) -> None:
    """Staff know that who wrote in a chat is this customer of the POS. Raises Conflict where that cannot be."""
    store.lock(session, [chat_born, owner])
    refuse_join(session, chat_born, owner)
    if _join(session, chat_born, owner, now) is not Join.JOINED:
        raise Conflict("Chat này là của nhân viên.", "This chat is a colleague's.", field="chat")


def refuse_split(person: Person | None) -> None:
    """Raises Conflict where a chat is no customer's of the POS."""
    if person is None or person.external_id is None:
        raise Conflict("Chat này chưa là của khách POS nào.", "This chat is no customer's of the POS.", field="chat")


def split_off(session: Session, conversation_id: int, now: datetime) -> None:
    """A chat is not its POS customer's after all: it becomes somebody's of whom nothing is known, with its tickets.

    All else stays with the customer. The chat may be joined to another one then. Raises Conflict where it is nobody's.
    """
    found = store.person(session, conversation_id)
    refuse_split(found)
    assert found is not None
    store.lock(session, [found.customer_id])
    refuse_split(store.person(session, conversation_id))
    born = store.add_nameless(session, now)
    store.move_identities(session, found.customer_id, born, only=conversation_id)
    tickets.carry_over(session, found.customer_id, born, conversation_id)
    search.refresh(session.connection(), [found.customer_id, born])


def issue_code(session: Session, customer_id: int, now: datetime) -> str:
    """A new code for a receipt: eight letters and digits, good once and for `CODE_LIFE`. Only its hash is kept."""
    code = codes.new(_CODE_LENGTH)
    store.add_code(
        session,
        {
            "digest": _digest(code), "customer_id": customer_id, "expires_at": now + CODE_LIFE, "used_at": None,
            "created_at": now,
        },
    )  # fmt: skip
    return code


def _write(
    session: Session, external_id: str, given: dict[str, str | None], version: int | None, now: datetime
) -> Outcome:
    row = {**_newborn(external_id, now), **given, "external_version": version or 0}
    if store.insert_external(session, row):
        return Outcome.CREATED
    ours = store.external(session, external_id, lock=True)
    assert ours is not None
    newest = ours.external_version if version is None else version
    if newest < ours.external_version:
        return Outcome.STALE
    if all(getattr(ours, name) == value for name, value in given.items()):
        if newest > ours.external_version:
            store.change(session, ours.id, external_version=newest)
        return Outcome.UNCHANGED
    store.change(session, ours.id, **given, external_version=newest, updated_at=now)
    return Outcome.UPDATED


def _newborn(external_id: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(), "name": "", "phone": None, "email": "", "birthday": "", "locale": "", "marketing": "",
        "external_id": external_id, "external_version": 0, "merged_into": None, "created_at": now, "updated_at": now,
    }  # fmt: skip


def _number(phone: str) -> str | None:
    if not phone.strip():
        return None
    number = phones.normalise(phone)
    if number is None:
        raise Invalid("phone", "Số điện thoại không hợp lệ.", "This is not a valid phone number.")
    return number


def _join_waiting(session: Session, number: str, now: datetime) -> None:
    owners = store.ids_by_phone(session, number, chat_born=False)
    if len(owners) == 1:
        for customer_id in store.ids_by_phone(session, number, chat_born=True):
            _join(session, customer_id, owners[0], now)


def _join(session: Session, source: int, target: int, now: datetime) -> Join:
    """Everything of a chat-born customer, but not of staff, becomes the POS customer's. Done once, whoever is first."""
    store.lock(session, [source, target])
    ours, theirs = store.profile(session, source), store.profile(session, target)
    if not served.serves(session, source):
        return Join.REFUSED
    if ours is None or theirs is None or ours.external_id is not None or ours.merged_into is not None:
        return Join.ALREADY if ours is not None and ours.merged_into == target else Join.REFUSED
    store.move_identities(session, source, target)
    tickets.carry_over(session, source, target)
    tags.carry_over(session, source, target)
    notes.carry_over(session, source, target)
    fields.carry_over(session, source, target)
    ledger.transfer(session, source, target, now, f"join:{source}:{target}:{now.isoformat()}")
    vouchers.carry_over(session, source, target)
    stamps.fill(session, target, now)
    gifts.give(session, target, Event.SIGN_UP, "", now)
    referrals.carry_over(session, source, target, now)
    consent.carry_over(session, source, target, (ours.marketing, theirs.marketing))
    privacy.carry_over(session, source, target)
    care_recipients.carry_over(session, source, target)
    recipients.carry_over(session, source, target)
    store.change(session, source, merged_into=target, phone=None, updated_at=now)
    search.refresh(session.connection(), [source, target])
    return Join.JOINED


def _now(session: Session, person: Person) -> Person:
    """The person as the database has them now: an event before this one may have joined them."""
    return store.person(session, person.identity_id) or person


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
