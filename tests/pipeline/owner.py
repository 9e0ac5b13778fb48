"""An owner with an empty install: the commands they type, and the browser in which they agree."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from yarl import URL

import main
from bot.commands.arguments import read
from bot.commands.report import Report
from bot.settings import Settings
from simulator import speech
from simulator.config import BrandSpec
from simulator.platform import Platform
from storage import accounts
from storage.accounts import AccountView
from tests.conftest import Clock
from tests.pipeline.stage import ASK, Stage, environment, playing

NOTHING = {
    "ZALO_OA_ID": "", "ZALO_ACCESS_TOKEN": "", "ZALO_REFRESH_TOKEN": "", "MESSENGER_PAGE_ID": "",
    "MESSENGER_PAGE_TOKEN": "",
}  # fmt: skip
SECOND = BrandSpec(
    name="Mây Trưa Quận 3", zalo_oa_id="8200300400500600701", messenger_page_id="700100200300401",
    messenger_page_token="the-second-pages-token",
)  # fmt: skip
USER_TOKEN = "the-token-of-a-person-who-manages-pages"


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass(slots=True)
class Owner:
    """Who sets the product up."""

    stage: Stage
    folder: Path
    told: list[str] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def types(self, *arguments: str, **settings: str) -> Report:
        """A command beside the running service. Raises Refused."""
        stage = self.stage
        base, url = stage.platform.media.base_url, stage.service.database.url
        given = {**NOTHING, "PUBLIC_URL": stage.url, **settings}
        known = Settings.from_env(None, environment(stage.platform.config, base, url, **given))
        return await main.beside(read(arguments), known, stage.clock, self._hear)

    def _hear(self, line: str) -> None:
        self.told.append(line)
        self.heard.set()

    async def is_noticed(self) -> None:
        """The seconds are over after which a running service sees what a command changed."""
        await self.stage.service.accounts.reload()

    async def adds_an_oa(self) -> str:
        """The address that `account add zalo` prints."""
        report = await self.types("account", "add", "zalo", "--no-wait")
        return str(report.data["address"])

    def file(self, text: str) -> str:
        """A file with this text."""
        path = self.folder / f"token-{len(list(self.folder.iterdir()))}"
        path.write_text(f"{text}\n")
        return str(path)

    async def opens(self, address: str | URL, *, method: str = "GET") -> Page:
        """An address in the browser."""
        asked = self.stage.http.request(method, address, headers={"Accept": "text/html"}, allow_redirects=False)
        async with asked as answer:
            return Page(answer.status, await answer.text(), dict(answer.headers))

    async def agrees(self, address: str, oa: str = "") -> str:
        """Choose an OA on Zalo's page; where Zalo sends the browser then."""
        page = await self.opens(address)
        link = re.search(rf'id="{f"allow-{oa}" if oa else "allow"}" href="([^"]+)"', page.text)
        assert link, page
        return html.unescape(link[1])

    async def connects_an_oa(self, oa: str = "") -> Page:
        """All of it; the page at the end."""
        return await self.opens(await self.agrees(await self.adds_an_oa(), oa))

    async def account(self, channel: str, account_id: str) -> AccountView | None:
        """How an account stands."""
        return await self.stage.read(lambda session: accounts.find(session, channel, account_id))

    async def accounts(self) -> list[str]:
        """The ids of all accounts that are known."""
        return [view.account_id for view in await self.stage.read(accounts.everyone)]


def changed(address: str, **query: str | None) -> str:
    """An address with other values in its query; None takes one out."""
    parts = urlsplit(address)
    values: dict[str, Any] = {**dict(parse_qsl(parts.query)), **query}
    kept = {name: value for name, value in values.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))


async def says(stage: Stage, brand: Platform, channel: str, words: str = ASK) -> None:
    """Lan writes to one of the brands, and all that follows is over."""
    contact = brand.people.meet(channel, "lan", brand.now())
    await stage.taken(speech.say_text(brand, contact, words).delivery)
    await stage.quiet()


def heard(stage: Stage, brand: Platform, channel: str) -> list[str]:
    """What Lan heard from that brand."""
    user_id = brand.people.meet(channel, "lan", brand.now()).user_id
    return [call.text for call in stage.calls(channel) if call.contact and call.contact.user_id == user_id]


@asynccontextmanager
async def moving_in(database_url: str, clock: Clock, folder: Path, **platforms: Any) -> AsyncIterator[Owner]:
    """The product with its keys, but without an account, and its owner. The platforms know two brands."""
    everything = {
        "zalo_access_token": "", "zalo_refresh_token": "", "more_brands": (SECOND,),
        "messenger_user_token": USER_TOKEN, **platforms,
    }  # fmt: skip
    folder = folder / "owner"
    folder.mkdir()
    async with playing(database_url, clock, settings=NOTHING, **everything) as stage:
        yield Owner(stage, folder)
