"""`khachquen page replies`: the one private answer that public comments on a Page get."""

from __future__ import annotations

from argparse import Namespace

from sqlmodel import Session

from bot.channels.base import Account
from bot.channels.messenger.channel import Messenger
from bot.commands.report import Outside, Refused, Report
from crm.messages import Message
from storage import accounts, comments
from storage.database import Database

_NONE = "Comments on this Page get no private answer."


async def run(
    arguments: Namespace, database: Database, messenger: Messenger, account: Account, outside: Outside
) -> Report:
    """Set, show or clear the words. Facebook is asked to tell of comments before they are set."""
    words = arguments.words.strip()
    if (arguments.what == "set") != bool(words):
        raise Refused("give the words with set, and with set only: khachquen page replies set PAGE_ID 'Chào bạn, …'")
    if arguments.what != "show":
        if len(messenger.split(Message(words))) > 1:
            raise Refused("a comment gets one message only: these words are too long for one")
        await messenger.hear_comments(account, wanted=bool(words))
        await database.write(lambda session: _keep(session, account, words), name="page.replies")
        await outside.accounts.reload()
    told = await database.read(lambda session: _told(session, account))
    return Report(told, _lines(told))


def _keep(session: Session, account: Account, words: str) -> None:
    view = accounts.find(session, account.channel, account.account_id)
    assert view is not None
    accounts.change(session, view.id, comment_reply=words)


def _told(session: Session, account: Account) -> dict[str, object]:
    key = (account.channel, account.account_id)
    return {
        "page_id": account.account_id,
        "words": comments.words_for(session, *key),
        **comments.totals(session, *key)._asdict(),
    }


def _lines(told: dict[str, object]) -> list[str]:
    lines = [
        str(told["words"]) or _NONE,
        f"{told['answered']} answered, {told['waiting']} wait, {told['given_up']} given up, in 8 days",
    ]
    return [*lines, f"the last one given up: {told['last_error']}"] if told["last_error"] else lines
