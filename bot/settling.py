"""Messages of which nobody knows whether they went out: how long to wait, and what becomes of them then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from crm.messages import Purpose
from storage import doubt, outbox, recipients
from storage.columns import NEVER
from storage.doubt import Unsettled
from storage.outbox import UNKNOWN, Sent
from storage.queue import WAITING

LOOKS_FOR = timedelta(days=1)
NEVER_AGAIN = datetime.max.replace(tzinfo=NEVER.tzinfo)

SETTLE_AFTER: Mapping[Purpose, timedelta] = {
    Purpose.REPLY: timedelta(seconds=30),
    Purpose.STAFF: timedelta(seconds=30),
    Purpose.TRANSACTION: timedelta(minutes=10),
}
"""How long to wait for an echo before a message of unknown outcome is looked for, and then sent once more."""
LOOK_AFTER: Mapping[Purpose, timedelta] = {
    **SETTLE_AFTER,
    Purpose.CARE: timedelta(minutes=2),
    Purpose.BROADCAST: timedelta(minutes=2),
}
"""The same with those that are never sent again: one that is not found was not taken."""
NOT_TAKEN = "not_taken"


def sweep(session: Session, now: datetime, owner: str | None = None) -> int:
    """What lost senders were at is unknown from now on; with `owner`, what every other sender was at."""
    return doubt.sweep(session, now, {purpose.value: now + wait for purpose, wait in LOOK_AFTER.items()}, owner)


def settle(session: Session, item: Unsettled, found: str | None, now: datetime) -> str:
    """Decide about a message of unknown outcome once it was looked for: sent, once more, or never; says which.

    `found` is the platform's id of it, "" where the platform does not have it, None where that cannot be told.
    """
    if found:
        outbox.sent(session.connection(), [Sent(item.id, found, "", now)])
        return "sent"
    purpose = Purpose(item.purpose)
    known_absent = found is not None
    if purpose in SETTLE_AFTER and not item.resent and (known_absent or purpose is not Purpose.TRANSACTION):
        outbox.move(session, item.id, UNKNOWN, item.lease_token, state=WAITING, ready_at=now, resent=True)
        return "again"
    if known_absent and purpose.is_marketing:
        recipients.fail(session, item.id, NOT_TAKEN)
    look_again = purpose is Purpose.TRANSACTION and not known_absent and now - item.created_at < LOOKS_FOR
    ready_at = now + SETTLE_AFTER[purpose] if look_again else NEVER_AGAIN
    outbox.move(session, item.id, UNKNOWN, item.lease_token, state=UNKNOWN, ready_at=ready_at)
    return UNKNOWN
