"""What some channels can do beside what all of them do: be asked what happened, or connect accounts their own way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from bot.channels.base import Account, Consent, Managed, Owner, Raw, TokenPair


class Sign(StrEnum):
    """What a person is shown beside messages: that theirs were read, or that an answer is being written."""

    SEEN = "seen"
    TYPING = "typing"


@runtime_checkable
class Polled(Protocol):
    """A channel that is asked for what happened, as its platform posts nothing to us; it has no door."""

    async def poll(self, account: Account, now: datetime) -> tuple[Raw, ...]:
        """Wait until something happens, for the platform's own time at most; () where nothing did.

        What was told once may not be told again: who asks keeps it before asking anew, and no two ask at once.
        PERMANENT: nothing comes until a person mends it.
        """


@runtime_checkable
class Consenting(Protocol):
    """A channel whose accounts are connected on a page of the platform's own, in a browser.

    `app` in these calls is an account without an id and a token: only its app counts.
    """

    def consent_address(self, app: Account, callback: str, verifier: str, state: str) -> str:
        """The page on which an account's admin agrees; `verifier` stays with us until the code is exchanged."""

    def consented(self, query: Mapping[str, str]) -> Consent:
        """What the browser brought back to the callback."""

    async def exchange(self, app: Account, code: str, verifier: str) -> TokenPair:
        """Trade a single-use code for the first pair. UNKNOWN: the answer was lost, and the code may be spent."""

    async def whose(self, account: Account) -> Owner:
        """The account that a token belongs to."""


@runtime_checkable
class Managing(Protocol):
    """A channel on which a person's own token opens the accounts that they manage."""

    async def prolonged(self, user: Account) -> Account:
        """The person's token in the form that lasts. AUTH: it is not valid."""

    async def managed(self, user: Account) -> tuple[Managed, ...]:
        """Every account that the person manages, each with a token of its own."""

    async def subscribe(self, account: Account) -> None:
        """Let the platform tell us all that happens on this account; may be called twice."""


@runtime_checkable
class Impersonating(Protocol):
    """A channel that can show the name of the person who typed a message."""

    async def persona(self, account: Account, name: str) -> str:
        """An id under which the platform shows this name. May be called twice: that costs a spare one."""


@runtime_checkable
class Commentable(Protocol):
    """A channel on which a public comment may be answered privately."""

    async def answer_comment(self, account: Account, comment_id: str, words: str, metadata: str) -> None:
        """Send the author of a comment one message; `metadata` comes back in the echo.

        The platform takes one for each comment only, so this may be called twice.
        """


@runtime_checkable
class Signing(Protocol):
    """A channel that can show that somebody reads or writes."""

    async def sign(self, account: Account, user_id: str, sign: Sign) -> None:
        """Show one. It costs a call; may be called twice."""


@runtime_checkable
class Keeping(Protocol):
    """A channel whose platform keeps what people sent for a while, at addresses that it tells."""

    async def fetch(self, address: str) -> bytes:
        """What lies there, if it is the platform's own. RETRY: it may come later; PERMANENT: it never will."""


class Followers(NamedTuple):
    """A part of those who follow an account; `cursor` asks for the next part, "" after the last."""

    user_ids: tuple[str, ...]
    cursor: str = ""


@runtime_checkable
class Following(Protocol):
    """A channel that tells who follows an account."""

    async def followers(self, account: Account, cursor: str, now: datetime) -> Followers:
        """A part of those who follow the account, by one call. Somebody may be told of twice."""


@runtime_checkable
class Labelling(Protocol):
    """A channel on which staff put labels on people, in the platform's own tool."""

    async def label(self, account: Account, user_id: str, name: str, *, on: bool) -> None:
        """Put a label on a person, or take it off; may be called twice."""
