"""Tags and the labels of the platforms' own tools, kept alike where an account's owner wishes so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.accounts import Accounts
from bot.calling import Removed, account_for
from bot.channels.abilities import Labelling
from bot.channels.base import Channel, SendError, SendErrorKind
from bot.jobs import Payload, Work
from crm import phones, tags
from crm.errors import Invalid
from crm.events import Address, Labelled
from storage import accounts, customers, jobs, whereabouts
from storage.database import Database

log = logging.getLogger(__name__)

JOB = "labels.share"


def put_on(session: Session, customer_id: int, name: str, *, by: str, now: datetime) -> bool:
    """Put a tag on a customer, here and where labels are shared; False where it was there. Raises Invalid."""
    new = tags.put_on(session, [customer_id], name, by=by, at=now)
    return _shared(session, new, name, now)


def take_off(session: Session, customer_id: int, name: str, *, now: datetime) -> bool:
    """Take a tag off a customer, here and where labels are shared; False where it was not there. Raises Invalid."""
    gone = tags.take_off(session, [customer_id], name, at=now)
    return _shared(session, gone, name, now)


def told(session: Session, event: Labelled) -> None:
    """Staff put a label on people in the platform's own tool, or took it off: follow, where labels are shared."""
    channel, account_id = event.address.channel, event.address.account_id
    if not _shares(session, channel, account_id):
        return
    named = _known(session, channel, account_id, event.people)
    try:
        if event.on:
            tags.put_on(session, named, event.label, by=channel, at=event.at)
        else:
            who = named if event.people else tags.bearers(session, event.label, channel, account_id)
            tags.take_off(session, who, event.label, at=event.at)
    except Invalid as error:
        log.info("a label cannot be a tag", extra={"channel": channel, "account": account_id, "why": error.en})


def shown(session: Session, address: Address, names: Sequence[str], now: datetime) -> None:
    """The platform shows these labels on a person: they become tags, where labels are shared."""
    for name in names:
        told(session, Labelled(address._replace(user_id=""), now, name, (address.user_id,)))


class Labels:
    """The job that brings one tag of one person to the platform as it stands here by then."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], living: Accounts, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._channels, self._accounts, self._clock = database, channels, living, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {JOB: self.share}

    async def share(self, payload: Payload) -> None:
        """Put the label on or take it off. Raises Later, SendError; whom the platform does not know is left out."""
        channel, account_id, name = payload["channel"], payload["account_id"], payload["name"]
        platform = self._channels[channel]
        assert isinstance(platform, Labelling)
        identity = int(payload["identity"])
        on = await self._database.read(partial(_stands, identity=identity, name=name))
        try:
            async with account_for(self._accounts, channel, account_id) as account:
                await platform.label(account, payload["user_id"], name, on=on)
        except Removed:
            return
        except SendError as error:
            if error.kind not in (SendErrorKind.PERMANENT, SendErrorKind.UNREACHABLE):
                raise
            log.info("a label was refused", extra={"channel": channel, "account": account_id, "code": error.code})


def _shared(session: Session, changed: Collection[int], name: str, now: datetime) -> bool:
    """Let the platforms that share labels with us be told of these customers' tag; whether there are any."""
    sharing = {(each.channel, each.account_id) for each in accounts.everyone(session) if each.shares_labels}
    shown_as = tags.tidy(name)
    rows = [
        jobs.row(
            JOB,
            f"{identity}:{tags.folded(shown_as)}",
            {
                "identity": identity, "channel": channel, "account_id": account_id, "user_id": user_id,
                "name": shown_as,
            },
            now,
        )
        for customer_id in sorted(changed)
        for identity, channel, account_id, user_id in whereabouts.addresses(session, customer_id)
        if (channel, account_id) in sharing and not phones.number_at(user_id)
    ]  # fmt: skip
    jobs.add_many(session, rows)
    return bool(changed)


def _shares(session: Session, channel: str, account_id: str) -> bool:
    view = accounts.find(session, channel, account_id)
    return view is not None and view.shares_labels


def _known(session: Session, channel: str, account_id: str, user_ids: Sequence[str]) -> list[int]:
    """The customers behind these user ids of an account, as far as we know them."""
    found = customers.people(session, user_ids) if user_ids else {}
    return sorted({each.customer_id for key, each in found.items() if key[:2] == (channel, account_id)})


def _stands(session: Session, identity: int, name: str) -> bool:
    person = customers.person(session, identity)
    return person is not None and tags.has(session, person.customer_id, name)
