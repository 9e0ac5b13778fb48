"""`khachquen account followers` and `labels`: who follows an OA, and what its staff call them there."""

from __future__ import annotations

from argparse import Namespace
from functools import partial

from bot import followers as following
from bot.channels.abilities import Following, Labelling
from bot.commands.report import Outside, Refused, Report
from storage import accounts
from storage.accounts import AccountView
from storage.database import Database


async def followers(arguments: Namespace, database: Database, outside: Outside) -> Report:
    """Ask a running service to read them. Raises Refused."""
    view = await _found(arguments, database)
    if not isinstance(outside.channels[view.channel], Following):
        raise Refused(f"{view.channel} does not tell who follows an account")
    ask = partial(following.queue, channel=view.channel, account_id=view.account_id, now=outside.clock())
    await database.write(ask, name="followers.ask")
    words = (
        "A running service reads them now, or the next one that starts: about 20 people a minute, with their names. "
        "They become known, but nobody counts as having written, and no reply window opens."
    )
    return Report({"channel": view.channel, "account_id": view.account_id, "asked": True}, [words])


async def labels(arguments: Namespace, database: Database, outside: Outside) -> Report:
    """Share an account's labels, or cease to. Raises Refused."""
    view = await _found(arguments, database)
    if not isinstance(outside.channels[view.channel], Labelling):
        raise Refused(f"{view.channel} has no labels that could be shared")
    on = arguments.wish == "on"
    await database.write(lambda session: accounts.change(session, view.id, shares_labels=on), name="labels.wish")
    name = f"{view.channel} {view.account_id}"
    words = (
        f"From now on tags and the labels of {name} are kept alike." if on else f"{name} keeps its labels to itself."
    )
    if on:
        words += f" What is there already comes with: khachquen account followers {name}"
    return Report({"channel": view.channel, "account_id": view.account_id, "shares_labels": on}, [words])


async def _found(arguments: Namespace, database: Database) -> AccountView:
    channel, account_id = arguments.channel, arguments.account_id
    view = await database.read(lambda session: accounts.find(session, channel, account_id))
    if view is None or view.held == accounts.REMOVED:
        raise Refused(f"no account {account_id} is connected on {channel}: khachquen account list shows them")
    return view
