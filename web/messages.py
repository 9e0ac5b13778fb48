"""Messages in the API: found by words in them, for a program that looks into a shop's conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from bot import searching
from crm import said
from web.operations import Call, Operation, Params


class SearchParams(Params):
    """What is looked for, and before which message."""

    words: Annotated[str, StringConstraints(min_length=2, max_length=200)]
    before: Annotated[str, Field(pattern=r"^[0-9]{1,19}$", description="The `next` of an answer.")] | None = None


class MessageOut(BaseModel):
    """A line of a conversation with a customer."""

    id: str
    conversation: str
    name: str
    customer: Annotated[str | None, Field(description="Your id of the customer, where it is known.")]
    channel: str
    author: Annotated[str, Field(description="`customer`, `bot` or `staff`.")]
    text: str
    at: datetime


class MessagesOut(BaseModel):
    """Some messages, the newest first; `next` asks for older ones, null where all were looked through."""

    messages: list[MessageOut]
    next: str | None


async def search(call: Call[SearchParams, None]) -> MessagesOut:
    """Look for messages by words in them, without accents, for two seconds at most: few or none may be found by then.

    Staff's own chats, what was unsent and what never went out are not among them.
    """
    before = min(int(call.params.before or said.NEWEST), said.NEWEST)
    found = await searching.found(call.database, call.params.words, before)
    return MessagesOut(
        messages=[
            MessageOut(
                id=str(line.id),
                conversation=str(line.conversation_id),
                name=line.name,
                customer=line.external_id,
                channel=line.channel,
                author=line.author,
                text=line.text,
                at=line.at,
            )
            for line in found.lines
        ],
        next=None if found.before is None else str(found.before),
    )


OPERATIONS = (
    Operation("GET", "/messages", "findMessages", "Find messages by their words", SearchParams, None, MessagesOut,
              search),
)  # fmt: skip
