"""Who goes another way than the one that is shut is found among very many, by short reads, and comes first."""

from __future__ import annotations

from functools import partial

import pytest
from sqlmodel import Session

import main
from bot import broadcast_seeking
from bot.accounts import Accounts
from bot.broadcast_seeking import Seeking
from bot.secrets import Sealer
from bot.settings import Settings
from crm import broadcasts
from crm.broadcasts import Pause
from crm.content import Content
from crm.messages import Purpose
from storage import accounts, turns
from storage.database import Database
from tests.bot.test_previews import WORDS, Somebody, open_shop, sending
from tests.conftest import Clock
from tests.crm import sending as sent
from tests.crm.sending import POLICY

YES = (("", True),)


def writes(channel: str) -> Somebody:
    """Who wrote there an hour ago, and wants news."""
    return Somebody("Lan", phone=False, chats=((channel, 1, False, "bot"),), said=YES, got=0)


def resting(session: Session, clock: Clock, *, refused: tuple[str, ...]) -> int:
    """A broadcast that rests since its first people's account is refused; the last ones are on Messenger."""
    people = [*(writes("zalo") for _ in range(7)), *(writes("messenger") for _ in range(3))]
    open_shop(session, clock, people, template=False)
    for view in accounts.everyone(session):
        if view.channel in refused:
            accounts.change(session, view.id, held="the token is refused")
    number = broadcasts.draft(session, "Tết", Purpose.BROADCAST, Content(WORDS), "tatca", "cli", clock())
    broadcasts.tested(session, number, clock())
    broadcasts.schedule(session, number, clock(), "cli", clock())
    sent.begin(session, number, clock())
    until = POLICY.hours.next_moment(clock())
    broadcasts.pause(session, number, Pause.ACCOUNT, broadcasts.SYSTEM, clock(), until=until)
    return number


@pytest.mark.parametrize(
    ("refused", "state", "first"),
    [(("zalo",), "running", ["messenger"] * 3), (("zalo", "messenger"), "paused", ["zalo"] * 3)],
)
async def test_who_goes_another_way_comes_first(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...], state: str,
    first: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(broadcast_seeking, "AT_ONCE", 2)
    number = await database.write(partial(resting, clock=clock, refused=refused))
    async with main.reaching(Settings(secret_key="a key for tests only")) as channels:
        living = Accounts(database, channels, {}, Sealer("a key for tests only"), clock, "me")
        await Seeking(database, sending(channels, None), living, clock).seek({"broadcast": number})

    def look(session: Session) -> tuple[str, list[str]]:
        due = turns.of_broadcast(session, number, clock(), 3)
        places = turns.places(session, [each.customer_id for each in due], clock())
        return broadcasts.get(session, number).state, [places[each.customer_id][0].channel for each in due]

    assert await database.write(look) == (state, first)
