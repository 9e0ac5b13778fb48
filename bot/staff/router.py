"""Staff's commands: small functions that register by a decorator, and one table of them all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from crm import words
from crm.staff import Permission

Fn = Callable[..., None]
StaffAnswer = Callable[[Any, str], None]
"""What `ctx.ask(then=…)` may name: it gets the StaffContext and the words that were waited for."""


class Group(StrEnum):
    """The lines of `/help`, in their order."""

    ANSWER = "answer"
    QUEUE = "queue"
    CUSTOMER = "customer"
    TICKET = "ticket"
    MONEY = "money"
    REACH = "reach"
    SHIFT = "shift"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a command: its kind, and whether it may be left out."""

    name: str
    kind: Any
    optional: bool
    default: Any


@dataclass(frozen=True)
class Command:
    """A command: how it is called and written, who may use it, what it does."""

    name: str
    aliases: tuple[str, ...]
    usage: str
    vi: str
    may: Permission
    group: Group
    examples: tuple[str, ...]
    fn: Fn = field(compare=False)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The arguments in their order, read from the function's signature."""
        hints = get_type_hints(self.fn)
        given = list(inspect.signature(self.fn).parameters.values())[1:]
        return tuple(
            Parameter(each.name, _kind(hints[each.name]), each.default is not each.empty, each.default)
            for each in given
        )

    @property
    def en(self) -> str:
        """What it does, in English: the first paragraph of the function's docstring."""
        return " ".join((self.fn.__doc__ or "").strip().partition("\n\n")[0].split())


def _kind(hint: Any) -> Any:
    """`X | None` is read as an X."""
    if get_origin(hint) in (Union, UnionType):
        return next(each for each in get_args(hint) if each is not NoneType)
    return hint


class StaffRouter:
    """The commands of one noun, registered by decorators."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self.commands: list[Command] = []
        self.answers: dict[str, StaffAnswer] = {}
        self.pictured: set[str] = set()
        self.secret: set[str] = set()

    def command(
        self,
        name: str,
        *aliases: str,
        usage: str,
        vi: str,
        group: Group,
        may: Permission,
        examples: Sequence[str] = (),
    ) -> Callable[[Fn], Fn]:
        """Registers a command: `/name` or any alias, with or without accents.

        The function gets a StaffContext and what its further parameters' annotations read from the line. `usage` is
        how it is written, `vi` what it does; the docstring's first line says that in English.
        """

        def register(fn: Fn) -> Fn:
            self.commands.append(Command(name, aliases, usage, vi, may, group, tuple(examples), fn))
            return fn

        return register

    def answer(self, fn: StaffAnswer) -> StaffAnswer:
        """Marks a function that `ctx.ask(then=…)` may name."""
        self.answers[f"{self.noun}.{fn.__name__}"] = fn
        return fn

    def picture(self, fn: StaffAnswer) -> StaffAnswer:
        """Marks one that takes a picture, too; it is in `ctx.pictures`."""
        self.pictured.add(f"{self.noun}.{fn.__name__}")
        return self.answer(fn)

    def pin(self, fn: StaffAnswer) -> StaffAnswer:
        """Marks one that takes a PIN, which is kept nowhere and sent to nobody."""
        self.secret.add(f"{self.noun}.{fn.__name__}")
        return self.answer(fn)


@dataclass(frozen=True)
class Commands:
    """All commands, by every name without accents; the answers to questions, which take pictures, which PINs."""

    everyone: tuple[Command, ...]
    by_name: Mapping[str, Command]
    answers: Mapping[str, StaffAnswer]
    names: Mapping[StaffAnswer, str]
    pictured: frozenset[str]
    secret: frozenset[str]

    @staticmethod
    def of(routers: Sequence[StaffRouter]) -> Commands:
        """One table of many routers; ValueError where two commands share a name."""
        by_name: dict[str, Command] = {}
        answers: dict[str, StaffAnswer] = {}
        everyone = [command for router in routers for command in router.commands]
        for command in everyone:
            for name in {words.plain(each) for each in (command.name, *command.aliases)}:
                if by_name.setdefault(name, command) is not command:
                    raise ValueError(f"two commands are called /{name}")
        for router in routers:
            answers.update(router.answers)
        pictured = frozenset(name for router in routers for name in router.pictured)
        secret = frozenset(name for router in routers for name in router.secret)
        names = {fn: name for name, fn in answers.items()}
        return Commands(tuple(everyone), by_name, answers, names, pictured, secret)
