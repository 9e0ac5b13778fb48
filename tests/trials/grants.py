"""The service dies while it connects an OA: its address is used up, and a new one connects it; no message is lost."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import aiohttp

import main
from bot.commands.arguments import read
from bot.settings import Settings
from simulator.people import ZALO
from tests.trials.product import HOST
from tests.trials.rig import Rig, rigged

POINTS = ("grant.used", "grant.exchanged")


@dataclass(frozen=True, slots=True)
class Broken:
    """How the browser was answered: at the kill (None for no answer), afterwards, and at a new address."""

    killed: int | None
    again: int | None
    anew: int | None
    lost: int


async def broken_off(url: str, point: str) -> Broken:
    """Kill at this point of a callback, start again, try the same address and a new one, then let a person ask."""
    async with rigged(url) as rig:
        product = rig.product()
        await product.start(rig.given, fault=f"{point}:kill")
        back = await _agreed(rig)
        killed = await _opened(rig, back)
        assert await product.died(20)
        await product.start(rig.given)
        again = await _opened(rig, back)
        anew = await _opened(rig, await _agreed(rig))
        question = rig.event(ZALO, "p1")
        await rig.deliver(question)
        await rig.quiet()
        return Broken(killed, again, anew, int(question.code not in rig.journal()))


async def _agreed(rig: Rig) -> str:
    """An admin of the OA opened a new address and agreed; where Zalo sends the browser."""
    settings = Settings.from_env(None, {**rig.given, "PUBLIC_URL": f"http://{HOST}:{rig.doors[0]}"})
    report = await main.beside(read(["account", "add", "zalo", "--no-wait"]), settings, rig.platform.now)
    async with rig.http.get(report.data["address"], headers={"Accept": "text/html"}) as page:
        link = re.search(r'id="allow" href="([^"]+)"', await page.text())
    assert link
    return html.unescape(link[1])


async def _opened(rig: Rig, address: str) -> int | None:
    try:
        async with rig.http.get(address) as page:
            return page.status
    except (aiohttp.ClientError, OSError):
        return None
