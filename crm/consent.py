"""What customers allow us and take back: each word with its proof, and how they stand now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial

from sqlmodel import Session

from crm import suppression
from crm.errors import Conflict, Invalid
from crm.messages import Purpose
from storage import consent as store
from storage import customers, search
from storage.consent import Consent as Consent
from storage.consent import Terms as Terms

MARKETING = "marketing"
CARE = "care"
GRANTED = "granted"
WITHDRAWN = "withdrawn"

_ASKED: Mapping[Purpose, tuple[str, ...]] = {Purpose.BROADCAST: (MARKETING,), Purpose.CARE: (CARE, MARKETING)}
"""What must have been allowed; of several, the first to which the customer said a word decides."""


class Way(StrEnum):
    """How a word was said. ELSEWHERE: on paper, at the till, on the shop's site; staff or a program wrote it down."""

    WORD = "word"
    BUTTON = "button"
    PLATFORM = "platform"
    UNFOLLOW = "unfollow"
    SAME_NUMBER = "same_number"
    ERASURE = "erasure"
    ELSEWHERE = "elsewhere"


class Standing(StrEnum):
    """How a customer stands to being written to. NONE: they never said a word about it."""

    GRANTED = GRANTED
    WITHDRAWN = WITHDRAWN
    NONE = ""


def standing(session: Session, customer_ids: Collection[int], purpose: Purpose, channel: str) -> dict[int, Standing]:
    """How each of these customers stands to messages for CARE or BROADCAST on this channel; one statement.

    The latest word about this channel or about all counts, a no before a yes in the same moment. A word to care stands
    for itself; who never said one to it stands to it as to marketing.
    """
    words = store.standings(session, customer_ids, _ASKED[purpose], channel)
    return {customer_id: _STANDINGS[words.get(customer_id)] for customer_id in customer_ids}


LONGEST_WORDING = 500
_CHATS_LOOKED_AT = 100
_STANDINGS = {True: Standing.GRANTED, False: Standing.WITHDRAWN, None: Standing.NONE}


def say(
    session: Session,
    customer_id: int,
    *,
    granted: bool,
    at: datetime,
    purpose: str = MARKETING,
    channel: str = "",
    covers: str | None = None,
    way: Way = Way.WORD,
    terms: str | None = None,
    actor: str = "",
    wording: str = "",
    message_id: str = "",
) -> None:
    """The customer said yes or no at this moment; what was said later stands.

    `channel` is where it was said, "" outside of the chats. `covers` is the channel that it is about, "" all of them;
    unless told otherwise a yes is about where it was said, and a no about all. `terms` is the version of what they were
    told before (`offered`).
    """
    customers.lock(session, [customer_id])
    store.add(
        session,
        {
            "customer_id": customer_id, "purpose": purpose, "granted": granted, "channel": channel,
            "covers": (channel if granted else "") if covers is None else covers, "way": way.value, "terms": terms,
            "actor": actor, "wording": wording[:LONGEST_WORDING], "message_id": message_id, "at": at,
        },
    )  # fmt: skip
    if purpose == MARKETING:
        customers.change(session, customer_id, marketing=_word(session, customer_id))


def stop(
    session: Session,
    customer_id: int,
    *,
    at: datetime,
    channel: str = "",
    way: Way = Way.WORD,
    wording: str = "",
    message_id: str = "",
) -> None:
    """The customer wants neither marketing nor care any more, on no channel; nor does who else has their number."""
    profile = customers.profile(session, customer_id)
    others = _with_number(session, profile.phone) - {customer_id} if profile and profile.phone else set()
    customers.lock(session, sorted({customer_id, *others}))
    for purpose in (MARKETING, CARE):
        no = partial(say, session, granted=False, at=at, purpose=purpose, channel=channel)
        no(customer_id, way=way, wording=wording, message_id=message_id)
        for other in sorted(others):
            no(other, way=Way.SAME_NUMBER)


def offered(session: Session, terms: Terms) -> str:
    """Keep what a customer is being told before they may agree; the version that their yes is to name."""
    said = (terms.purpose, terms.locale, terms.text, terms.content, terms.method, terms.form, terms.frequency)
    version = hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:12]
    store.keep_terms(session, terms._replace(version=version))
    return version


def known_terms(session: Session, version: str) -> str | None:
    """The version, if such words were ever shown; None where it is nobody's."""
    return version if version and store.terms(session, [version]) else None


def record(
    session: Session,
    customer_id: int,
    *,
    granted: bool,
    at: datetime,
    now: datetime,
    secret_key: str,
    actor: str,
    purpose: str = MARKETING,
    covers: str = "",
    terms: Terms | None = None,
    wording: str = "",
) -> None:
    """Write down a yes or no that was given outside of the chats.

    Raises Invalid for a purpose that there is not and a moment to come, and Conflict for a yes of somebody who took it
    back or was erased: they alone may allow it again, in a chat.
    """
    if purpose not in (MARKETING, CARE):
        raise Invalid("purpose", "Mục đích là marketing hoặc care.", "A purpose is marketing or care.")
    if at > now:
        raise Invalid("at", "Thời điểm đồng ý chưa tới.", "The moment of consent is still to come.")
    if granted:
        _refuse_unwilling(session, customer_id, secret_key)
    say(
        session, customer_id, granted=granted, at=at, purpose=purpose, covers=covers, way=Way.ELSEWHERE,
        terms=offered(session, terms) if terms else None, actor=actor, wording=wording,
    )  # fmt: skip


def follow_number(session: Session, customer_id: int, phone: str, now: datetime) -> None:
    """A customer who allows marketing has this number now: where its owner took that back before, they do, too."""
    profile = customers.profile(session, customer_id)
    if profile is None or profile.marketing != GRANTED:
        return
    others = (customers.profile(session, each) for each in _with_number(session, phone) - {customer_id})
    if any(each is not None and each.marketing == WITHDRAWN for each in others):
        stop(session, customer_id, at=now, way=Way.SAME_NUMBER)


def proof(session: Session, customer_id: int) -> list[tuple[Consent, Terms | None]]:
    """Everything that a customer agreed to and took back, oldest first, each with what they had been told."""
    said = entries(session, customer_id)
    known = store.terms(session, {each.terms for each in said if each.terms})
    return [(each, known.get(each.terms or "")) for each in said]


def entries(session: Session, customer_id: int) -> list[Consent]:
    """Everything that a customer agreed to and took back, oldest first."""
    return store.entries(session, customer_id)


def carry_over(session: Session, source: int, target: int, was: tuple[str, str]) -> None:
    """Move one customer's entries to another; `was` are their marketing words, and the later one stays.

    Where neither word has an entry that dates it, a no outweighs a yes.
    """
    store.move(session, source, target)
    word = _word(session, target) or next((word for word in (WITHDRAWN, GRANTED) if word in was), "")
    customers.change(session, target, marketing=word)


def _word(session: Session, customer_id: int) -> str:
    granted = store.last_word(session, customer_id, MARKETING)
    return "" if granted is None else GRANTED if granted else WITHDRAWN


def _with_number(session: Session, phone: str) -> set[int]:
    found = (customers.ids_by_phone(session, phone, chat_born=chat_born) for chat_born in (True, False))
    return {each for some in found for each in some}


def _refuse_unwilling(session: Session, customer_id: int, secret_key: str) -> None:
    profile = customers.profile(session, customer_id)
    phone = profile.phone if profile else None
    alike = [customer_id, *(_with_number(session, phone) if phone else ())]
    identities = [key for each in alike for key in search.chats(session, each, _CHATS_LOOKED_AT)]
    chats = [person for key in identities if (person := customers.person(session, key))]
    profiles = [customers.profile(session, each) for each in alike]
    if any(found is not None and found.marketing == WITHDRAWN for found in profiles):
        raise Conflict(
            "Khách này đã từ chối nhận tin; chỉ chính khách bật lại được, bằng cách nhắn “bắt đầu nhận tin”.",
            "This customer took their consent back; they alone can give it again, by writing “start messages”.",
        )
    if suppression.is_remembered(session, secret_key, suppression.marks(phone, chats)):
        raise Conflict(
            "Người này đã yêu cầu xóa dữ liệu; chỉ chính họ cho phép lại được, trong khung chat.",
            "This person had their data erased; they alone can allow marketing again, in a chat.",
        )
