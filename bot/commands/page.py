"""`khachquen page`: what a Facebook Page shows before the first word and beside the chat."""

from __future__ import annotations

from argparse import Namespace

from bot.channels.base import Account
from bot.channels.messenger.channel import Messenger
from bot.commands import replies
from bot.commands.report import Outside, Refused, Report
from bot.renewal import Held
from bot.service import shop_of
from bot.settings import Settings
from bot.templates import LOCALES, Templates
from storage.database import Database

_SOON = "It may take up to a day until everybody sees it."


async def run(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """Set, show or clear the Page's profile, or what comments are answered. Raises Refused, SendError."""
    messenger = outside.channels["messenger"]
    assert isinstance(messenger, Messenger)
    account = await _account(outside, messenger.name, arguments.page_id)
    if arguments.action == "replies":
        return await replies.run(arguments, database, messenger, account, outside)
    match arguments.what:
        case "set":
            templates = Templates(settings.timezone, shop_of(settings))
            texts = {name: templates.render("page/before_first_word", name, messenger.name, {}) for name in LOCALES}
            await messenger.write_page_profile(account, texts, settings.locale)
        case "clear":
            await messenger.clear_page_profile(account)
    shown, lines = await messenger.page_profile(account)
    if arguments.what != "show":
        lines = [*lines, _SOON]
    return Report({"page_id": account.account_id, "profile": shown}, lines)


async def _account(outside: Outside, channel: str, page_id: str) -> Account:
    try:
        return await outside.accounts.get(channel, page_id)
    except Held:
        raise Refused(
            f"the Page {page_id} is not connected or held: khachquen account list shows it, khachquen account add "
            "connects it"
        ) from None
