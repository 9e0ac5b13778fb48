"""What a handler holds: the event, the customer, the conversation, the session, the time; and the ways to answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot.channels.base import Channel
from bot.templates import Templates
from crm import conversations, outbox, times
from crm.conversations import Reason, State
from crm.events import Event
from crm.messages import Button, Message, Purpose
from crm.reach import Refusal
from crm.sla import Policy
from storage import customers, jobs, transcripts
from storage.customers import Person

Answer = Callable[["Context"], bool | None]
"""A handler. One that a dialog waits for may return False: what was said is not for it, and is handled as if new."""

KEPT = "kept"
"""The name of a dialog that nobody answers: it only remembers."""


@dataclass(slots=True)
class Talk:
    """One person's part in a batch: what was read, what it became, what is to be written at the end."""

    person: Person
    state: State
    before: State
    outgoing: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    interaction_at: datetime | None = None


@dataclass(slots=True)
class Context:
    """One event in a handler's hands. Nothing here does I/O but queries on the batch's own session."""

    event: Event
    text: str
    session: Session
    now: datetime
    default_locale: str
    talk: Talk
    channel: Channel
    templates: Templates
    answers: Mapping[Answer, str]
    policy: Policy
    argument: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def customer(self) -> Person:
        """The customer behind the event, with the identity they wrote from; a frozen view."""
        return self.talk.person

    @property
    def conversation(self) -> State:
        """The state of the conversation; a frozen view."""
        return self.talk.state

    @property
    def locale(self) -> str:
        """The customer's language, else the shop's."""
        return self.talk.person.locale or self.default_locale

    def speaks(self, language: str) -> None:
        """Answer in this language from now on, because the customer writes in it; "" changes nothing."""
        if language and language != self.locale:
            person = self.talk.person
            customers.change(self.session, person.customer_id, locale=language)
            self.talk.person = person._replace(locale=language)

    def reply(self, template: str, **values: Any) -> None:
        """Answer with a template of `message_templates/<locale>/`."""
        self._say(self.templates.render(template, self.locale, self.talk.person.channel, values))

    def say(self, text: str, *buttons: Button) -> None:
        """Answer with plain words."""
        self._say(Message(text, buttons))

    def ask(
        self, template: str, *, then: Answer, within: timedelta, data: Mapping[str, Any] | None = None, **values: Any
    ) -> None:
        """Ask something: the next thing this person sends goes to `then` (an `@router.answer`), if it comes in time."""
        self.reply(template, **values)
        self.expect(then, within, data)

    def expect(self, then: Answer, within: timedelta, data: Mapping[str, Any] | None = None) -> None:
        """Wait for the next thing this person sends, without saying anything."""
        self.talk.state = conversations.asked(
            self.talk.state, self.answers[then], json.dumps(data or {}, ensure_ascii=False), self.now + within
        )

    def keep(self, data: Mapping[str, Any], within: timedelta) -> None:
        """Remember something without waiting for an answer: the next event, whatever handles it, finds it in `data`."""
        self.talk.state = conversations.asked(
            self.talk.state, KEPT, json.dumps(data, ensure_ascii=False), self.now + within
        )

    def hand_over(self, reason: Reason = Reason.ASKED) -> None:
        """Let a person answer from now on; the bot falls silent after this event."""
        self.talk.state = conversations.hand_over(self.talk.state, self.now, reason)

    def call_person(self, reason: Reason = Reason.TICKET) -> None:
        """Let the customer be listed as waiting for a person; the bot goes on answering."""
        self.talk.state = conversations.call_person(self.talk.state, self.now, reason)

    def content(self) -> None:
        """Who only waits because the bot did not understand waits no more."""
        self.talk.state = conversations.content(self.talk.state)

    def hand_back(self) -> None:
        """Let the bot answer again."""
        self.talk.state = conversations.hand_back(self.talk.state)

    def soon(self, at: datetime) -> str:
        """A moment in the shop's own time, as a customer reads it: "17:00 hôm nay"."""
        return times.near(at, self.policy.calendar.zone, self.now, self.locale)

    def away(self) -> str:
        """When the shop opens next, in words, if it is closed now; told once in each closed time, then ""."""
        opens = self.policy.calendar.opens_next(self.now)
        if opens <= self.now or self.talk.state.away_until == opens:
            return ""
        self.talk.state = conversations.told_away(self.talk.state, opens)
        return self.soon(opens)

    def remember(self) -> None:
        """Take up what `ask` was given for this answer as `data`, and end that dialog; the answer may ask again."""
        state = self.talk.state
        self.data = json.loads(state.dialog_data) if state.dialog_data else {}
        self.talk.state = conversations.settled(state)

    def understood(self) -> None:
        """The bot understood: the row of misses ends."""
        self.talk.state = conversations.understood(self.talk.state)

    def missed(self) -> int:
        """Count that the bot did not understand; how often in a row."""
        self.talk.state = conversations.missed(self.talk.state)
        return self.talk.state.misses

    def later(self, kind: str, subject: str, payload: Mapping[str, Any], *, after: timedelta = timedelta()) -> None:
        """Queue a job; the same kind and subject waits once."""
        jobs.add_many(self.session, [jobs.row(kind, subject, payload, self.now, self.now + after)])

    def last_reply(self, within: timedelta) -> Message | None:
        """What the bot said last, if it spoke after everybody else of the brand and not longer ago; takes a query."""
        if self.talk.outgoing:
            return Message.loads(self.talk.outgoing[-1]["body"])
        said = transcripts.last_of_brand(self.session, self.talk.person.identity_id)
        is_ours = said is not None and said.author == "bot" and self.now - said.at <= within
        return Message.loads(said.body) if said and is_ours and said.body else None

    def reload(self) -> None:
        """Read the person again, after `crm` changed who they are."""
        person = customers.person(self.session, self.talk.person.identity_id)
        assert person is not None
        self.talk.person = person

    def _say(self, message: Message) -> None:
        parts = self.channel.split(message)
        rows = outbox.compose(self.talk.person, parts, Purpose.REPLY, self.now)
        assert not isinstance(rows, Refusal), rows
        self.talk.outgoing.extend(rows)
        self.talk.lines.extend(outbox.lines(rows, parts))
