"""Messenger's utility templates in our words, and a message that uses one as its JSON. Pure.

Gaps of the body keep their names. Those of the header are `header:<name>`; those of buttons are `payload:<n>` and
`url:<n>`, with the number of the button. (Messenger, "Utility messages")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.channels.messenger.envelope import ident, records
from bot.channels.text import clean
from crm.messages import TemplateUse
from crm.templates import Kind, Parameter, Status, Tag, Template

LONGEST_NAME = 512
LONGEST_LANGUAGE = 16
FIELDS = "id,name,language,status,category,components"

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_STATUSES = {
    "APPROVED": Status.APPROVED,
    "PENDING": Status.PENDING,
    "REJECTED": Status.REJECTED,
    "DISABLED": Status.DISABLED,
    "DELETED": Status.DELETED,
}
_BUTTONS = {"POSTBACK": "payload", "URL": "url"}
_HEADER = "header:"


def status_of(value: object) -> Status:
    """Meta's word for a template's state in ours."""
    return _STATUSES.get(clean(value), Status.UNKNOWN)


def template(page_id: str, item: dict[str, Any]) -> Template | None:
    """A template of a Page as its list shows it; None without a name and a language that can be ones."""
    name, language = clean(item.get("name")), clean(item.get("language"))
    if not (0 < len(name) <= LONGEST_NAME and 0 < len(language) <= LONGEST_LANGUAGE):
        return None
    parts = records(item.get("components"))
    lines = [text for part in parts if (text := _line(part))]
    return Template(
        "messenger",
        page_id,
        name,
        language,
        platform_id=ident(item.get("id")),
        name=name,
        status=status_of(item.get("status")),
        tag=Tag.TRANSACTION if clean(item.get("category")) == "UTILITY" else Tag.OTHER,
        parameters=tuple(dict.fromkeys(each for part in parts for each in _parameters(part))),
        text="\n".join(lines),
        reason=clean(item.get("rejected_reason")),
    )


def _kind(part: dict[str, Any]) -> str:
    return clean(part.get("type")).upper()


def _line(part: dict[str, Any]) -> str:
    text = clean(part.get("text")).strip()
    match _kind(part):
        case "HEADER":
            return _VARIABLE.sub(lambda found: f"{{{{{_HEADER}{found[1]}}}}}", text)
        case "BODY":
            return text
    return ""


def _parameters(part: dict[str, Any]) -> Iterator[Parameter]:
    kind = _kind(part)
    if kind in ("HEADER", "BODY"):
        prefix = _HEADER if kind == "HEADER" else ""
        yield from (Parameter(prefix + name) for name in _VARIABLE.findall(clean(part.get("text"))))
    for number, button in enumerate(records(part.get("buttons")), 1):
        place = _BUTTONS.get(clean(button.get("type")).upper(), "")
        if place and _VARIABLE.search(clean(button.get(place))):
            yield Parameter(f"{place}:{number}", kind=Kind.LINK if place == "url" else Kind.TEXT)


def content(use: TemplateUse) -> dict[str, Any]:
    """What stands for `message.template` in the call that sends one."""
    values = [(name, clean(value)) for name, value in use.values]
    header = [(name.removeprefix(_HEADER), value) for name, value in values if name.startswith(_HEADER)]
    body = [(name, value) for name, value in values if ":" not in name]
    buttons = [(*name.split(":", 1), value) for name, value in values if name.startswith(("payload:", "url:"))]
    parts: list[dict[str, Any]] = []
    for kind, given in (("header", header), ("body", body)):
        if given:
            parts.append({"type": kind, "parameters": [_text(name, value) for name, value in _ordered(given)]})
    if buttons:
        pressed = sorted(buttons, key=lambda each: _number(each[1]))
        shown = [{"type": "URL" if place == "url" else "POSTBACK", place: value} for place, _, value in pressed]
        parts.append({"type": "buttons", "parameters": shown})
    told: dict[str, Any] = {"name": use.template_id, "language": {"code": use.language}}
    return {**told, "components": parts} if parts else told


def _ordered(given: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Numbered gaps are filled by their order, named ones by their names."""
    return sorted(given, key=lambda each: (_number(each[0]), each[0]))


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else 0


def _text(name: str, value: str) -> dict[str, str]:
    told = {"type": "text", "text": value}
    return told if name.isdecimal() else {**told, "parameter_name": name}
