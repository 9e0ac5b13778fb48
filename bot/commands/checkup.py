"""`khachquen account check`: asks the platforms at once how our accounts stand."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from bot.checkup import GOOD, Checkups, Look, in_words
from bot.commands.report import Outside, Refused, Report
from storage import accounts
from storage.accounts import REMOVED, AccountView
from storage.database import Database


async def run(arguments: Namespace, database: Database, outside: Outside) -> Report:
    """Look at one account, at all of a channel, or at all; not ok where one is in trouble. Raises Refused."""
    views = [view for view in await database.read(accounts.everyone) if _is_meant(view, arguments)]
    if not views and arguments.account_id:
        raise Refused(
            f"no account {arguments.account_id} is connected on {arguments.channel}: khachquen account list shows them"
        )
    looks = await Checkups(database, outside.channels, outside.accounts, outside.clock).look(views)
    lines = [line for look in looks for line in _lines(look)]
    ok = all(look.state == GOOD for look in looks)
    return Report([asdict(look) for look in looks], lines or ["No account is connected."], ok)


def _is_meant(view: AccountView, arguments: Namespace) -> bool:
    return (
        view.held != REMOVED
        and arguments.channel in (None, view.channel)
        and arguments.account_id in (None, view.account_id)
    )


def _lines(look: Look) -> Iterator[str]:
    title = f"{look.channel} {look.account_id}" + (f" ({look.name})" if look.name else "")
    yield f"{title}: {look.state.replace('_', ' ')}"
    if look.facts:
        yield f"  {in_words(look.facts)}"
    if look.mended:
        yield f"  mended: {look.mended}"
    if look.words:
        yield f"  {look.words}"
    for trouble in look.troubles:
        yield f"  {trouble.words}"
