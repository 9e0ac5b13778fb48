"""The arguments of a command: taken from the line by its parameters' kinds, kept for `/ok`, and taken up again."""

from __future__ import annotations

from typing import Any

from bot.staff.context import StaffContext
from bot.staff.grammar import Misread
from bot.staff.kinds import KINDS, names_one
from crm.errors import CrmError


def read(ctx: StaffContext, rest: str) -> dict[str, Any]:
    """The running command's arguments, by name. Raises CrmError where one is missing, unreadable, or too many.

    What may be left out, or is implied by a quote or an entered conversation, is taken from the words if it stands
    there; the words of a later argument are not taken for it.
    """
    assert ctx.command is not None
    found: dict[str, Any] = {}
    problem: CrmError | None = None
    for each in ctx.command.parameters:
        kind = KINDS[each.kind]
        if rest:
            try:
                found[each.name], rest = kind.read(ctx, rest)
                problem = None
                continue
            except CrmError as error:
                problem = error
        implied = kind.implied(ctx) if kind.implied else None
        if implied is not None and not names_one(each.kind, rest):
            found[each.name] = implied
        elif each.optional and not names_one(each.kind, rest):
            found[each.name] = each.default
        else:
            raise problem or Misread(each.name, f"Thiếu {kind.vi}.", f"Missing: {kind.en}.")
    if rest:
        raise problem or Misread("", f"Thừa: “{rest}”.", f"Too much: “{rest}”.")
    return found


def dump(ctx: StaffContext, values: dict[str, Any]) -> dict[str, Any]:
    """The arguments as a preview keeps them."""
    assert ctx.command is not None
    known = {each.name: KINDS[each.kind] for each in ctx.command.parameters}
    return {name: None if value is None else known[name].dump(value) for name, value in values.items()}


def load(ctx: StaffContext, kept: dict[str, Any]) -> dict[str, Any]:
    """The arguments that `dump` wrote, as they are now. Raises CrmError where one is not there any more."""
    assert ctx.command is not None
    known = {each.name: KINDS[each.kind] for each in ctx.command.parameters}
    return {name: None if value is None else known[name].load(ctx, value) for name, value in kept.items()}
