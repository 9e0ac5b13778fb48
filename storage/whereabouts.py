"""Where customers can be found on channels, and that they follow there."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update
from sqlmodel import Session

from storage.customers import Identity

_identity = Identity.__table__  # type: ignore[attr-defined]


def follow_many(session: Session, identity_ids: Collection[int]) -> None:
    """They follow, as the platform's list says; what an event told of any of them stands."""
    untold = (_identity.c.id.in_(sorted(identity_ids)), _identity.c.followed_at.is_(None))
    session.connection().execute(update(_identity).where(*untold).values(followed=True))


def addresses(session: Session, customer_id: int) -> list[tuple[int, str, str, str]]:
    """Where a customer can be found: identity, channel, account and user id, oldest first."""
    columns = (_identity.c.id, _identity.c.channel, _identity.c.account_id, _identity.c.user_id)
    statement = select(*columns).where(_identity.c.customer_id == customer_id).order_by(_identity.c.id)
    return [(row[0], row[1], row[2], row[3]) for row in session.connection().execute(statement)]
