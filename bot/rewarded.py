"""The job that tells members what a friend whom they brought, or who brought them, has earned them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlmodel import Session

from bot.inbox import Desk
from bot.jobs import Payload, Work
from crm import conversations, outbox, referrals
from crm.messages import Purpose
from crm.reach import ReachFacts, reach
from storage import customers, search
from storage.database import Database


class Rewarded:
    """Says it once, in the chat where the member wrote last, if that costs nothing and its window is open."""

    def __init__(self, database: Database, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._database, self._desk, self._clock = database, desk, clock

    def kinds(self) -> dict[str, Work]:
        """Name → function."""
        return {referrals.TELL: self.tell}

    async def tell(self, payload: Payload) -> None:
        """Say it, or leave it to the history of their points."""
        await self._database.write(partial(self._tell, payload=payload), name=referrals.TELL)

    def _tell(self, session: Session, payload: Payload) -> None:
        now = self._clock()
        for chat in search.chats(session, int(payload["customer"]), 1):
            person = customers.person(session, chat)
            assert person is not None
            facts = ReachFacts(
                purpose=Purpose.TRANSACTION, last_interaction_at=person.last_interaction_at, now=now,
                unreachable=person.unreachable_since is not None,
            )  # fmt: skip
            channel = self._desk.channels[person.channel]
            way = reach(channel.rules, facts)
            if not way.allowed or way.cost or conversations.state_of(person).is_blocked:
                return
            said = {"points": int(payload["points"]), "friend": bool(payload["friend"])}
            message = self._desk.templates.render(
                "referral/rewarded", person.locale or self._desk.locale, person.channel, said
            )
            key = f"referral:{payload['customer']}:{payload['fact']}"
            outbox.send(session, person, channel.split(message), Purpose.TRANSACTION, now, dedup_key=key)
