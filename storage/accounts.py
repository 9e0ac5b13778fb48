"""OAs and Pages: their tokens (encrypted by the caller), who refreshes them now, the pace of sending, the last look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import UniqueConstraint, false, func, literal_column, select, update
from sqlmodel import Field, Session

from storage.columns import NEVER, BigInt, insert, moment, serial
from storage.hot import Fetch, updating
from storage.queue import Leased

REMOVED = "removed"


class AccountRow(Leased, table=True):
    """One OA or Page. `seed` is a hash of the token pair last seen in the settings; `held` says why nothing is sent.

    `refresh_pending_since`: the platform refused the access token then, and nothing is sent until there is a new one.
    `facts` is JSON: what the platform said of it at `checked_at`. `comment_reply` is what who comments in public is
    answered; "" for nothing. `shares_labels`: the labels of its own tool are kept like our tags.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("channel", "account_id"),)

    id: int | None = serial()
    channel: str = Field(max_length=32)
    account_id: str = Field(max_length=64)
    name: str = ""
    access_token: str = ""
    refresh_token: str = ""
    access_expires_at: datetime | None = moment(nullable=True)
    refreshed_at: datetime | None = moment(nullable=True)
    refresh_pending_since: datetime | None = moment(nullable=True)
    seed: str = ""
    held: str = ""
    lease_token: int = Field(default=0, sa_type=BigInt)
    send_tat: datetime = moment()
    added_at: datetime = moment()
    checked_at: datetime | None = moment(nullable=True)
    facts: str = ""
    comment_reply: str = Field(default="", sa_column_kwargs={"server_default": ""})
    shares_labels: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class AccountView(NamedTuple):
    """An account as read; tokens are still encrypted."""

    id: int
    channel: str
    account_id: str
    name: str
    access_token: str
    refresh_token: str
    access_expires_at: datetime | None
    refreshed_at: datetime | None
    refresh_pending_since: datetime | None
    seed: str
    held: str
    checked_at: datetime | None
    facts: str
    comment_reply: str
    shares_labels: bool
    lease_owner: str
    lease_until: datetime

    def rests_until(self, now: datetime) -> datetime | None:
        """When the refused token is renewed next; None where that may be tried now, or is not needed."""
        rests = self.refresh_pending_since is not None and not self.lease_owner and self.lease_until > now
        return self.lease_until if rests else None


class Pace(NamedTuple):
    """How an account stands with sending: its row's id, the theoretical time of its next send, why it is held, and
    since when its token is refused."""

    id: int
    tat: datetime
    held: str
    refused_since: datetime | None


_account = AccountRow.__table__  # type: ignore[attr-defined]
_VIEW = select(*(_account.c[name] for name in AccountView._fields))
_FENCED = {"lease_owner": "", "lease_until": NEVER, "lease_token": _account.c.lease_token + 1}
"""Takes the lease from whoever refreshes the token now: how that ends is not written any more."""


_PACES = Fetch(
    lambda _among: select(
        _account.c.channel, _account.c.account_id,
        _account.c.id, _account.c.send_tat, _account.c.held, _account.c.refresh_pending_since,
    )
)  # fmt: skip
_RESERVED = updating(_account, ("send_tat",), _account.c.send_tat < literal_column("given.send_tat"))


def everyone(session: Session) -> list[AccountView]:
    """All accounts, oldest first."""
    return [AccountView(*row) for row in session.connection().execute(_VIEW.order_by(_account.c.id))]


def find(session: Session, channel: str, account_id: str) -> AccountView | None:
    """One account, if it is known."""
    statement = _VIEW.where(_account.c.channel == channel, _account.c.account_id == account_id)
    row = session.connection().execute(statement).first()
    return AccountView(*row) if row else None


def is_connected(session: Session, channel: str, account_id: str) -> bool:
    """Whether this account is ours and was not removed; it may be held."""
    view = find(session, channel, account_id)
    return view is not None and view.held != REMOVED


def add(session: Session, channel: str, account_id: str, now: datetime) -> None:
    """Make the account known; changes nothing where it is."""
    statement = insert(session.get_bind().dialect.name, _account).values(
        channel=channel, account_id=account_id, name="", access_token="", refresh_token="", seed="", held="",
        lease_owner="", lease_until=NEVER, lease_token=0, send_tat=NEVER, added_at=now, facts="", shares_labels=False,
    )  # fmt: skip
    session.connection().execute(statement.on_conflict_do_nothing(index_elements=["channel", "account_id"]))


def change(session: Session, account: int, **values: object) -> None:
    """Set columns of one account."""
    session.connection().execute(update(_account).where(_account.c.id == account).values(**values))


def note_checkup(session: Session, view: AccountView, name: str, facts: str, now: datetime) -> None:
    """Keep what the platform said of an account."""
    change(session, view.id, name=name, facts=facts, checked_at=now)


def connect(session: Session, account: int, sealed: tuple[str, str], now: datetime, **more: object) -> None:
    """Give an account a new access and refresh token: it may send again, at once.

    A refresh of its former pair that is under way is void.
    """
    access_token, refresh_token = sealed
    values = {
        "access_token": access_token, "refresh_token": refresh_token, "access_expires_at": None, "refreshed_at": now,
        "refresh_pending_since": None, "held": "", "send_tat": NEVER, **_FENCED,
    }  # fmt: skip
    change(session, account, **{**values, **more})


def remove(session: Session, account: int) -> None:
    """Forget an account's tokens and hold it; what was said with it stays, and so does the mark of the settings.

    A refresh of its token that is under way is void.
    """
    change(session, account, access_token="", refresh_token="", refresh_pending_since=None, held=REMOVED, **_FENCED)


def lease(
    session: Session, view: AccountView, owner: str, now: datetime, until: datetime, *, refused: bool
) -> int | None:
    """Become the only one who refreshes the token that the account had in this view; the fencing token.

    None where another is at it, or did it meanwhile. With `refused` nothing is sent with that token any more; an early
    renewal stops nothing.
    """
    pending = {"refresh_pending_since": func.coalesce(_account.c.refresh_pending_since, now)} if refused else {}
    statement = (
        update(_account)
        .where(_account.c.id == view.id, _account.c.lease_until <= now, _account.c.access_token == view.access_token)
        .values(lease_owner=owner, lease_until=until, lease_token=_account.c.lease_token + 1, **pending)
        .returning(_account.c.lease_token)
    )
    return session.connection().execute(statement).scalar_one_or_none()


def settle_lease(session: Session, account: int, token: int, **values: object) -> bool:
    """Write the outcome of a refresh and give the lease back; False where the lease was lost meanwhile.

    With a `lease_until` of its own the account rests until then: nobody may try before.
    """
    statement = (
        update(_account)
        .where(_account.c.id == account, _account.c.lease_token == token)
        .values(**{"lease_owner": "", "lease_until": NEVER, **values})
    )
    return session.connection().execute(statement).rowcount == 1


def paces(session: Session) -> Mapping[tuple[str, str], Pace]:
    """How each (channel, account id) stands with sending."""
    rows = _PACES.rows(session.connection())
    return {(channel, account_id): Pace(*pace) for channel, account_id, *pace in rows}


def hold_pace(session: Session, tats: Mapping[int, datetime]) -> None:
    """Write how far each account's sends are reserved ahead; a longer rest that was written meanwhile stays."""
    _RESERVED.run(session.connection(), [{"id": key, "send_tat": tats[key]} for key in sorted(tats)])
