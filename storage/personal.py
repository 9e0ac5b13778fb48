"""What every table holds of a person: where their rows are, and what an erasure leaves of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, Table, case, cast, delete, func, literal, or_, select, tuple_, update
from sqlmodel import Session, SQLModel

from storage import tables
from storage.queue import WAITING

NOTHING = '{"text": ""}'
"""The body of a message of which nothing is left."""

GONE = "erased"
"""Why nothing was sent to somebody whose data was erased."""
_ERASED = "erased:"
_AT_ONCE = 500

assert tables.NOUNS


@dataclass(frozen=True, slots=True)
class Whose:
    """The ids under which a person's rows are found; the customers that became theirs are theirs.

    `told` are the messages to staff that carried notices about them.
    """

    customers: Collection[int]
    identities: Collection[int]
    threads: Collection[int]
    tickets: Collection[int]
    orders: Collection[int]
    vouchers: Collection[int]
    notices: Collection[int]
    told: Collection[int]
    media: Collection[str]


Left = Mapping[str, Callable[[Table, datetime], Any]]


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of one table that belong to a person: those whose `column` is among these ids of theirs.

    `left` says which columns an erasure empties, and with what; None: the rows go. `shown` is False for what is no
    news to the person: what they are found by, or what only numbers our own work.
    """

    table: str
    column: str
    ids: str
    left: Left | None = field(default_factory=dict)
    shown: bool = True


def _empty(*names: str) -> Left:
    return dict.fromkeys(names, lambda *_: "")


def _null(*names: str) -> Left:
    return dict.fromkeys(names, lambda *_: None)


def _erased(name: str) -> Left:
    return {name: lambda table, _: literal(_ERASED) + cast(table.c.id, String)}


def _value(**given: Any) -> Left:
    return {name: (lambda *_, value=value: value) for name, value in given.items()}


_CUSTOMER = {
    **_empty("name", "email", "birthday", "locale"),
    **_null("phone", "external_id"),
    **_value(external_version=0),
}
_IDENTITY = {
    **_erased("user_id"),
    **_empty("name", "avatar_url", "referral", "referral_source", "ad_id", "ad_title"),
    **_null("followed_at", "last_interaction_at", "ad_silent_since", "ad_first_message_at", "profile_at"),
    **_value(followed=False),
}
_CONVERSATION = {
    **_empty("dialog", "dialog_data", "reason"),
    **_null("dialog_until", "waiting_since", "handed_over_at", "assigned_to", "snoozed_at", "snoozed_until", "minute"),
    **_value(holder="bot", misses=0, minute_count=0),
}
_TICKET = {
    **_empty("summary", "cause"),
    **_value(state="closed"),
    "closed_at": lambda table, now: func.coalesce(table.c.closed_at, now),
}
_CLOCK = {
    "ended_at": lambda table, now: func.coalesce(table.c.ended_at, now),
    **_null("running_since", "look_at"),
}
_INBOX = {
    "body": lambda table, _: case((table.c.state == WAITING, table.c.body), else_=None),
    **_empty("error"),
}
_OUTBOX = {
    "user_id": lambda table, _: literal(_ERASED) + cast(table.c.identity_id, String),
    "state": lambda table, _: case(
        (table.c.state.in_(("waiting", "unknown", "dead")), "withdrawn"), else_=table.c.state
    ),
    **_empty("message_id", "error"),
    **_null("dedup_key"),
    **_value(body=NOTHING),
}
_RECIPIENT = {
    "state": lambda table, _: case((table.c.state == "pending", "skipped"), else_=table.c.state),
    "reason": lambda table, _: case((table.c.state == "pending", GONE), else_=table.c.reason),
    **_empty("subject"),
    **_null("once_key"),
}
_NOTICE = {
    "state": lambda table, _: case((table.c.state.in_(("queued", "held")), "void"), else_=table.c.state),
    **_value(body=NOTHING),
}

EVERYTHING: tuple[Held, ...] = (
    Held("customer", "id", "customers", _CUSTOMER),
    Held("customer_word", "customer_id", "customers", None, shown=False),
    Held("customer_note", "customer_id", "customers", None),
    Held("customer_field", "customer_id", "customers", None),
    Held("tag", "customer_id", "customers", None),
    Held("link_code", "customer_id", "customers", None, shown=False),
    Held("link_guess", "identity_id", "identities", None, shown=False),
    Held("identity", "id", "identities", _IDENTITY),
    Held("conversation", "id", "identities", _CONVERSATION),
    Held("message", "conversation_id", "identities", None),
    Held("thread", "id", "threads", _erased("thread_key"), shown=False),
    Held("inbox", "thread_id", "threads", _INBOX),
    Held("outbox", "identity_id", "identities", _OUTBOX),
    Held("outbox", "id", "told", _value(body=NOTHING), shown=False),
    Held("recipient", "customer_id", "customers", _RECIPIENT),
    Held("staff_send", "conversation_id", "identities", shown=False),
    Held("notice", "id", "notices", _NOTICE, shown=False),
    Held("call", "conversation_id", "identities", None, shown=False),
    Held("ticket", "id", "tickets", _TICKET),
    Held("ticket_clock", "ticket_id", "tickets", _CLOCK),
    Held("ticket_photo", "ticket_id", "tickets", None),
    Held("rating", "ticket_id", "tickets", _empty("comment")),
    Held("sales_order", "id", "orders", _empty("note")),
    Held("order_refund", "order_id", "orders", _empty("reason")),
    Held("ledger_entry", "customer_id", "customers"),
    Held("point_lot", "customer_id", "customers"),
    Held("point_balance", "customer_id", "customers"),
    Held("point_reservation", "customer_id", "customers", _empty("reason")),
    Held("point_adjustment", "customer_id", "customers", _empty("reason")),
    Held("loyalty_member", "customer_id", "customers", {**_null("code"), **_empty("frozen_reason")}),
    Held("tier_change", "customer_id", "customers"),
    Held("voucher", "id", "vouchers"),
    Held("voucher_use", "voucher_id", "vouchers"),
    Held("referral_code", "customer_id", "customers", None),
    Held("referral", "friend_id", "customers"),
    Held("consent_entry", "customer_id", "customers", _empty("wording", "message_id")),
    Held("consent_standing", "customer_id", "customers", shown=False),
    Held("data_request", "customer_id", "customers", _empty("wording", "message_id")),
    Held("erasure", "customer_id", "customers"),
    Held("upload", "media_id", "media", None, shown=False),
    Held("drawing", "media_id", "media", None, shown=False),
    Held("media", "id", "media", None),
)
"""In the order in which they are emptied: what points at others before those."""

NO_PERSONS = frozenset(
    {
        "account", "alarm", "allowance", "api_key", "audit", "broadcast", "care_rule", "care_standing",
        "catchup", "comment", "consent_terms", "custom_field", "door", "fifth", "grant_request", "heard", "held_lot",
        "job", "lot_use", "mark", "pairing", "persona", "point_batch", "poll", "programme_version",
        "ready_text", "reward_taken", "segment", "short_id", "shut_lane", "staff", "staff_desk",
        "staff_preview", "suppression", "template", "voucher_guess",
    }
)  # fmt: skip
"""Tables without rows of a customer's own; in some, words to and of staff may mention one (`forget_mentions`)."""


def whose(session: Session, customer_id: int) -> Whose:
    """Everything that is this customer's, and what was whose that were joined to them."""
    customers, found = set[int](), {customer_id}
    while found:
        customers |= found
        found = _ids(session, "customer", "id", merged_into=found) - customers
    identities = _ids(session, "identity", "id", customer_id=customers)
    tickets = _ids(session, "ticket", "id", customer_id=customers) | _ids(
        session, "ticket", "id", conversation_id=identities
    )
    notices = _ids(session, "notice", "id", conversation_id=identities) | _ids(
        session, "notice", "id", ticket_id=tickets
    )
    return Whose(
        customers=customers,
        identities=identities,
        threads=_threads(session, identities),
        tickets=tickets,
        orders=_ids(session, "sales_order", "id", customer_id=customers),
        vouchers=_ids(session, "voucher", "id", customer_id=customers),
        notices=notices,
        told=_ids(session, "notice", "outbox_id", id=notices),
        media=_photos(session, tickets),
    )


def rows(session: Session, whose: Whose) -> dict[str, list[dict[str, Any]]]:
    """All that is shown to the person, by table; each row with its columns as the database has them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for held in EVERYTHING:
        if held.shown:
            table = _table(held.table)
            statement = select(table).where(_mine(held, whose)).order_by(*table.primary_key.columns)
            found[held.table] = [dict(row) for row in session.connection().execute(statement).mappings()]
    return found


def forget(session: Session, whose: Whose, now: datetime) -> dict[str, int]:
    """Empty or remove a person's rows; how many there were, by table. On SQLite freed bytes are overwritten."""
    _overwrite_what_is_freed(session, True)
    touched: dict[str, int] = {}
    for held in EVERYTHING:
        if held.left is None or held.left:
            table = _table(held.table)
            change = delete(table) if held.left is None else update(table).values(_values(table, held.left, now))
            done = session.connection().execute(change.where(_mine(held, whose))).rowcount
            touched[held.table] = touched.get(held.table, 0) + done
    _overwrite_what_is_freed(session, False)
    return touched


def forget_mentions(session: Session, exact: Collection[str], names: Collection[str]) -> None:
    """Empty what staff were told, wrote or prepared wherever one of these stands in it; jobs that say one of the
    `exact` marks go. What is on its way to staff goes out."""
    marks = {*exact, *names} - {""}
    if not marks:
        return
    _overwrite_what_is_freed(session, True)
    run, of_staff = session.connection().execute, _table("identity").c.staff_id.is_not(None)
    chats = select(_table("identity").c.id).where(of_staff)
    outbox, job = _table("outbox"), _table("job")
    said = outbox.c.identity_id.in_(chats) & outbox.c.state.not_in((WAITING, "sending"))
    run(update(outbox).where(said, _names(outbox.c.body, marks)).values(body=NOTHING))
    for name, column, empty in _WRITTEN_BY_STAFF:
        table = _table(name)
        run(update(table).where(_names(table.c[column], marks)).values({column: empty}))
    if exact:
        run(delete(job).where(_names(job.c.payload, exact)))
    _forget_lines_of_staff(session, marks)
    _overwrite_what_is_freed(session, False)


_WRITTEN_BY_STAFF = (
    ("notice", "body", NOTHING),
    ("staff_preview", "given", "{}"),
    ("staff_desk", "dialog_data", ""),
    ("audit", "details", ""),
)


def _forget_lines_of_staff(session: Session, marks: Collection[str]) -> None:
    """Raw bodies of what staff typed, looked through here: the engines search bytes each in their own way."""
    inbox, identity, thread = _table("inbox"), _table("identity"), _table("thread")
    same = (thread.c.channel, thread.c.account_id, thread.c.thread_key)
    chats = select(identity.c.channel, identity.c.account_id, identity.c.user_id).where(
        identity.c.staff_id.is_not(None)
    )
    theirs = select(thread.c.id).where(tuple_(*same).in_(chats))
    lines = select(inbox.c.id, inbox.c.body).where(
        inbox.c.thread_id.in_(theirs), inbox.c.body.is_not(None), inbox.c.state != WAITING
    )
    looked_for = [form.encode() for mark in marks for form in {mark, json.dumps(mark)[1:-1]}]
    found = [
        row.id for row in session.connection().execute(lines) if any(mark in bytes(row.body) for mark in looked_for)
    ]
    for start in range(0, len(found), _AT_ONCE):
        some = inbox.c.id.in_(found[start : start + _AT_ONCE])
        session.connection().execute(update(inbox).where(some).values(body=None))


def _names(column: ColumnElement[str], marks: Collection[str]) -> ColumnElement[bool]:
    forms = {form for mark in marks for form in (mark, json.dumps(mark)[1:-1])}
    return or_(*(column.contains(form, autoescape=True) for form in sorted(forms)))


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


def _mine(held: Held, whose: Whose) -> ColumnElement[bool]:
    return _table(held.table).c[held.column].in_(sorted(getattr(whose, held.ids)))


def _values(table: Table, left: Left, now: datetime) -> dict[str, Any]:
    return {name: value(table, now) for name, value in left.items()}


def _ids(session: Session, name: str, wanted: str, **among: Collection[int]) -> set[int]:
    table = _table(name)
    ((column, values),) = among.items()
    statement = select(table.c[wanted]).where(table.c[column].in_(sorted(values)), table.c[wanted].is_not(None))
    return set(session.connection().execute(statement).scalars())


def _threads(session: Session, identities: Collection[int]) -> set[int]:
    identity, thread = _table("identity"), _table("thread")
    same = [identity.c[mine] == thread.c[theirs] for mine, theirs in _THREAD_OF]
    statement = select(thread.c.id).join(identity, same[0] & same[1] & same[2])
    return set(session.connection().execute(statement.where(identity.c.id.in_(sorted(identities)))).scalars())


_THREAD_OF = (("channel", "channel"), ("account_id", "account_id"), ("user_id", "thread_key"))


def _photos(session: Session, tickets: Collection[int]) -> set[str]:
    """Pictures of these tickets that nothing else shows."""
    photo, ready = _table("ticket_photo"), _table("ready_text")
    ours = photo.c.ticket_id.in_(sorted(tickets))
    run = session.connection().execute
    found = set(run(select(photo.c.media_id).where(ours, photo.c.media_id.is_not(None))).scalars())
    elsewhere = select(photo.c.media_id).where(photo.c.media_id.in_(sorted(found)), ~ours)
    return found - set(run(elsewhere).scalars()) - set(run(select(ready.c.picture)).scalars())


def _overwrite_what_is_freed(session: Session, on: bool) -> None:
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(f"PRAGMA secure_delete = {'ON' if on else 'OFF'}")
