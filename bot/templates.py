"""The texts that customers read: trusted Jinja2 files, compiled once, rendered to messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound, pass_context
from jinja2.runtime import Context as JinjaContext

from crm import segments
from crm.messages import Button, ButtonKind, Card, Message
from crm.words import clipped, money, number

FOLDER = Path(__file__).resolve().parent.parent / "message_templates"
LOCALES = ("vi", "en")
_PARTS = "_parts"


@dataclass(slots=True)
class _Parts:
    """What a template adds to the message while it is rendered."""

    buttons: list[Button] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    picture: str = ""


@pass_context
def _button(context: JinjaContext, title: str, value: str = "", kind: str = "reply") -> str:
    context[_PARTS].buttons.append(Button(title, value, ButtonKind(kind)))
    return ""


@pass_context
def _card(context: JinjaContext, title: str, subtitle: str = "", image_url: str = "") -> str:
    context[_PARTS].cards.append(Card(title, subtitle, image_url))
    return ""


@pass_context
def _picture(context: JinjaContext, url: str) -> str:
    context[_PARTS].picture = url
    return ""


@lru_cache(maxsize=8)
def _environment(timezone: ZoneInfo, folder: Path) -> Environment:
    """Compiles each file of a folder once in a process, for whatever shop and whoever reads."""
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=False, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False, cache_size=-1,
    )  # fmt: skip

    def day(at: datetime) -> str:
        return at.astimezone(timezone).strftime("%d/%m/%Y")

    def moment(at: datetime) -> str:
        return at.astimezone(timezone).strftime("%H:%M %d/%m")

    environment.globals.update(button=_button, card=_card, picture=_picture)
    environment.filters.update(
        money=money, number=number, day=day, moment=moment, slashed="/{}".format, clip=clipped, segment=segments.told
    )
    return environment


class Templates:
    """Finds, renders and remembers templates; `shop` values (brand, phone, …) are there in every one."""

    def __init__(self, timezone: ZoneInfo, shop: dict[str, str], folder: Path = FOLDER) -> None:
        self.shop = shop
        self._environment = _environment(timezone, folder)
        self._found: dict[tuple[str, str, str], Template] = {}
        self._remembered = lru_cache(maxsize=1024)(self._render)

    def render(self, name: str, locale: str, channel: str, values: dict[str, Any]) -> Message:
        """The message; raises UndefinedError where a value is missing, TemplateNotFound where the template is.

        The same values give the same message, so most answers are remembered ones.
        """
        try:
            return self._remembered(name, locale, channel, tuple(values.items()))
        except TypeError:
            return self._render(name, locale, channel, tuple(values.items()))

    def _render(self, name: str, locale: str, channel: str, values: tuple[tuple[str, Any], ...]) -> Message:
        template = self._found.get((name, locale, channel)) or self._find(name, locale, channel)
        parts = _Parts()
        text = template.render(values, **{_PARTS: parts}, locale=locale, shop=self.shop)
        return Message(text.strip(), tuple(parts.buttons), tuple(parts.cards), parts.picture)

    def _find(self, name: str, locale: str, channel: str) -> Template:
        for language in (locale, *LOCALES):
            for path in (f"{language}/{name}.{channel}.j2", f"{language}/{name}.j2"):
                try:
                    template = self._environment.get_template(path)
                except TemplateNotFound:
                    continue
                self._found[name, locale, channel] = template
                return template
        raise TemplateNotFound(name)
