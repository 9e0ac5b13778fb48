"""Who answers what: handlers register on routers, one table of them all chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from bot.anger import is_angry
from bot.context import Answer, Context
from bot.understanding import SURE, Understanding, understand
from crm import conversations
from crm.events import ButtonPressed, Event, MediaReceived, TextReceived

K = TypeVar("K")

PREFIX = "kq:"
"""Every payload of ours begins so: `kq:<name>` or `kq:<name>:<argument>`."""

SMALL_TALK = frozenset({"greeting", "thanks"})
"""Intents that need no answer of their own beside a real question."""

_NOD = "yes"
"""Says nothing beside other lines."""


class Apart(Enum):
    """What is answered for itself."""

    ANGRY = "angry"
    BLOCKED = "blocked"
    HELD = "held"


class Router:
    """The handlers of one noun, registered by decorators."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.intents: dict[str, Answer] = {}
        self.buttons: dict[str, Answer] = {}
        self.answers: dict[str, Answer] = {}
        self.kinds: dict[type[Event], Answer] = {}
        self.while_held: set[Answer] = set()
        self.leaving: set[str] = set()
        self.resuming: dict[str, Answer] = {}
        self.apart: dict[Apart, Answer] = {}

    def intent(self, *names: str, while_held: bool = False, leaves_dialog: bool = False) -> Callable[[Answer], Answer]:
        """Answers a text that is understood so.

        A line that says nothing else is answered even where staff hold the conversation (`while_held`), or where a
        dialog waits, which ends by that (`leaves_dialog`, and all `while_held` ones).
        """
        if while_held or leaves_dialog:
            self.leaving.update(names)
        return self._register(self.intents, names, while_held)

    def button(self, *names: str, while_held: bool = False) -> Callable[[Answer], Answer]:
        """Answers a press on a button whose payload is `kq:<name>`; what follows a colon is `ctx.argument`."""
        return self._register(self.buttons, names, while_held)

    def on(self, *kinds: type[Event], while_held: bool = False) -> Callable[[Answer], Answer]:
        """Answers an event of this kind that nothing else answered."""
        return self._register(self.kinds, kinds, while_held)

    def answer(self, fn: Answer) -> Answer:
        """Marks a function that `ctx.ask(then=…)` may name."""
        return self._register(self.answers, [self._name(fn)])(fn)

    def resumes(self, answer: Answer) -> Callable[[Answer], Answer]:
        """Called where something else was answered while this answer was waited for; may ask again, or let it end."""
        return self._register(self.resuming, [self._name(answer)])

    def angry(self, fn: Answer) -> Answer:
        """Answers who is angry, besides the dialog that they answered, and instead of everything else."""
        return self._register(self.apart, [Apart.ANGRY])(fn)

    def blocked(self, fn: Answer) -> Answer:
        """Called for whatever is said in a conversation that staff blocked."""
        return self._register(self.apart, [Apart.BLOCKED])(fn)

    def held(self, fn: Answer) -> Answer:
        """Called for what is said while staff hold the conversation and nothing else answered."""
        return self._register(self.apart, [Apart.HELD])(fn)

    def fallback(self, fn: Answer) -> Answer:
        """Answers whatever nothing else does."""
        return self._register(self.kinds, [Event])(fn)

    def _name(self, fn: Answer) -> str:
        return f"{self.noun}.{getattr(fn, '__name__', '')}"

    def _register(
        self, table: dict[K, Answer], keys: Iterable[K], while_held: bool = False
    ) -> Callable[[Answer], Answer]:
        def register(fn: Answer) -> Answer:
            table.update(dict.fromkeys(keys, fn))
            if while_held:
                self.while_held.add(fn)
            return fn

        return register


@dataclass(frozen=True, slots=True)
class Routes:
    """All handlers of a bot; `names` finds the dialog of a function that `ask` was given."""

    intents: dict[str, Answer] = field(default_factory=dict)
    buttons: dict[str, Answer] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    kinds: dict[type[Event], Answer] = field(default_factory=dict)
    while_held: frozenset[Answer] = frozenset()
    leaving: frozenset[str] = frozenset()
    resuming: dict[str, Answer] = field(default_factory=dict)
    apart: dict[Apart, Answer] = field(default_factory=dict)
    names: dict[Answer, str] = field(default_factory=dict)

    @staticmethod
    def of(routers: Sequence[Router]) -> Routes:
        """One table of many routers; ValueError where two handlers claim the same."""
        routes = Routes()
        for router in routers:
            _merge(routes.intents, router.intents)
            _merge(routes.buttons, router.buttons)
            _merge(routes.answers, router.answers)
            _merge(routes.kinds, router.kinds)
            _merge(routes.resuming, router.resuming)
            _merge(routes.apart, router.apart)
        routes.names.update({fn: name for name, fn in routes.answers.items()})
        return replace(
            routes,
            while_held=frozenset().union(*(router.while_held for router in routers)),
            leaving=frozenset().union(*(router.leaving for router in routers)),
        )

    def handle(self, ctx: Context, lines: Sequence[str] = ()) -> None:
        """Let the right handler answer this event; `lines` are the texts that waited together, answered once.

        A dialog gets words and media; a button or another wish ends it, and finds what it knew in `ctx.data`, unless
        the dialog takes up again what it was told.
        """
        said = _heard(ctx, lines)
        if ctx.conversation.staff_holds:
            if ctx.conversation.is_blocked and Apart.BLOCKED in self.apart:
                self.apart[Apart.BLOCKED](ctx)
            if not self._while_held(ctx, said) and Apart.HELD in self.apart:
                self.apart[Apart.HELD](ctx)
            return
        angry = self.apart.get(Apart.ANGRY) if any(is_angry(meaning.text) for meaning in said.meanings) else None
        ctx.speaks(next((meaning.language for meaning in said.meanings if meaning.language), ""))
        waiting = conversations.waits_for(ctx.conversation, ctx.now)
        if waiting and isinstance(ctx.event, TextReceived | MediaReceived | ButtonPressed):
            ctx.remember()
            is_asked = waiting in self.answers and not said.presses and not self._leaves(said)
            if is_asked and self.answers[waiting](ctx) is not False:
                if angry is not None:
                    angry(ctx)
                return
        if angry is not None:
            self._while_held(ctx, said)
            angry(ctx)
            return
        for answer in self._choose(ctx, said):
            answer.call(ctx)
        if waiting in self.resuming and not (ctx.conversation.dialog or ctx.conversation.staff_holds):
            self.resuming[waiting](ctx)

    def _while_held(self, ctx: Context, said: _Heard) -> bool:
        """Let those answer that do even where staff hold the conversation; whether there was one."""
        chosen = [each for each in self._choose(ctx, said) if each.fn in self.while_held and each.is_sure]
        for answer in chosen:
            answer.call(ctx)
        return bool(chosen)

    def _leaves(self, said: _Heard) -> bool:
        return any(meaning.intent in self.leaving and meaning.confidence >= SURE for meaning in said.meanings)

    def _choose(self, ctx: Context, said: _Heard) -> list[_Chosen]:
        chosen = [self._pressed(press) for press in said.presses]
        chosen += self._by_intent(said.meanings)
        known = [answer for answer in chosen if answer is not None]
        return known or [_Chosen(self.kinds.get(type(ctx.event)) or self.kinds[Event])]

    def _pressed(self, payload: str) -> _Chosen | None:
        name, _, argument = payload.removeprefix(PREFIX).strip().partition(":")
        return _Chosen(self.buttons[name], argument=argument, known=True) if name in self.buttons else None

    def _by_intent(self, meanings: Sequence[Understanding]) -> list[_Chosen | None]:
        meanings = [meaning for meaning in meanings if meaning.intent != _NOD] or meanings[:1]
        if len(meanings) > 1 and not any(meaning.intent in self.intents for meaning in meanings):
            meanings = [understand(" ".join(meaning.text for meaning in meanings))]
        chosen: dict[str, _Chosen] = {}
        for meaning in meanings:
            fn = self.intents.get(meaning.intent)
            if fn is not None:
                chosen.setdefault(meaning.intent, _Chosen(fn, meaning=meaning, known=True))
        real = [answer for intent, answer in chosen.items() if intent not in SMALL_TALK]
        return [*(real or list(chosen.values())[:1])]


@dataclass(frozen=True, slots=True)
class _Heard:
    """The payloads of pressed buttons, and what the other lines mean."""

    presses: tuple[str, ...]
    meanings: tuple[Understanding, ...]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A handler with what it is told; `known` means that the bot understood."""

    fn: Answer
    argument: str = ""
    meaning: Understanding | None = None
    known: bool = False

    @property
    def is_sure(self) -> bool:
        return self.meaning is None or self.meaning.confidence >= SURE

    def call(self, ctx: Context) -> None:
        """Answer. Who waited because they were not understood waits no more, unless they asked for a person now."""
        ctx.argument = self.argument
        if self.known:
            ctx.text = self.meaning.text if self.meaning else ""
            ctx.slots = self.meaning.slots if self.meaning else {}
        self.fn(ctx)
        if self.known:
            ctx.understood()


def _heard(ctx: Context, lines: Sequence[str]) -> _Heard:
    """On Zalo a pressed button comes as a text that is its payload."""
    event = ctx.event
    if isinstance(event, ButtonPressed):
        return _Heard((event.payload,), ())
    if not isinstance(event, TextReceived):
        return _Heard((), ())
    texts = lines or (ctx.text,)
    presses = tuple(dict.fromkeys(text for text in texts if text.startswith(PREFIX)))
    return _Heard(presses, tuple(understand(text) for text in texts if not text.startswith(PREFIX)))


def _merge(into: dict[K, Answer], more: dict[K, Answer]) -> None:
    for key, fn in more.items():
        if into.setdefault(key, fn) is not fn:
            raise ValueError(f"two handlers for {key}")
