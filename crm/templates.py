"""Message templates that a platform approved: what they need, whether they may be used, and what they say and cost."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from crm.messages import Message, Purpose, TemplateUse
from storage import templates
from storage.templates import TemplateView

_WHOLE = re.compile(r"[0-9]{1,15}")
_DATE = re.compile(r"([0-9]{2}:[0-9]{2}(:[0-9]{2})? )?[0-9]{2}/[0-9]{2}/[0-9]{4}")
_LINK = re.compile(r"https?://[^\s/]\S*")
_VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")

Key = tuple[str, str, str, str]
"""Channel, account id, template id, language: what a message names."""


class Status(StrEnum):
    """What the platform says of a template; STOPPED is our own word for one that it refused when we sent it."""

    APPROVED = "approved"
    PENDING = "pending"
    REJECTED = "rejected"
    DISABLED = "disabled"
    DELETED = "deleted"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Tag(StrEnum):
    """What the platform approved a template for; OTHER is a tag that we do not know."""

    TRANSACTION = "transaction"
    CARE = "care"
    PROMOTION = "promotion"
    OTHER = "other"

    def allows(self, purpose: Purpose) -> bool:
        """Whether a message of this purpose may use such a template.

        Promotion is marketing always, so that it never passes a customer's consent by another purpose.
        """
        if self is Tag.PROMOTION:
            return purpose.is_marketing
        return not purpose.is_marketing or (self is Tag.CARE and purpose is Purpose.CARE)


class Kind(StrEnum):
    """What a parameter takes."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One gap of a template. `max_length` counts characters (NFC); 0 where the platform names no limit."""

    name: str
    required: bool = True
    max_length: int = 0
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides how a template may go out: its tag, and its price in đồng by phone and by the channel's own id."""

    tag: Tag
    price_phone: int = 0
    price_user: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """One template of one account; a message names it by `template_id` and `language`.

    `platform_id` is what events may call it. `text` holds `{{name}}` where a value goes; empty where the platform
    shows no text, but perhaps a page (`preview_url`).
    """

    channel: str
    account_id: str
    template_id: str
    language: str = ""
    platform_id: str = ""
    name: str = ""
    status: Status = Status.UNKNOWN
    quality: str = ""
    tag: Tag = Tag.OTHER
    parameters: tuple[Parameter, ...] = ()
    price_phone: int = 0
    price_user: int = 0
    text: str = ""
    preview_url: str = ""
    reason: str = ""
    gone: bool = False

    @property
    def key(self) -> Key:
        """What a message names."""
        return self.channel, self.account_id, self.template_id, self.language

    @property
    def is_usable(self) -> bool:
        """Whether the platform takes messages of it now."""
        return self.status is Status.APPROVED and not self.gone

    @property
    def terms(self) -> Terms:
        """What decides how it may go out."""
        return Terms(self.tag, self.price_phone, self.price_user)

    @property
    def why_not(self) -> str:
        """Why it is not usable, in words; "" where it is."""
        if self.is_usable:
            return ""
        if self.gone:
            return "the platform lists it no more"
        return f"it is {self.status.value}" + (f" ({self.reason})" if self.reason else "")


def problems(template: Template, values: Mapping[str, str]) -> list[str]:
    """What is wrong with these values for this template, in words, one sentence each; none where they fit."""
    known = {each.name: each for each in template.parameters}
    found = [f"{name} is no parameter of this template" for name in values if name not in known]
    for name, parameter in known.items():
        value = unicodedata.normalize("NFC", values.get(name, "")).strip()
        if not value:
            if parameter.required:
                found.append(f"{name} is missing")
        elif parameter.max_length and len(value) > parameter.max_length:
            found.append(f"{name} has {len(value)} characters; {parameter.max_length} is the most")
        elif wrong := _wrong_kind(parameter.kind, value):
            found.append(f"{name} must be {wrong}")
    return found


def _wrong_kind(kind: Kind, value: str) -> str:
    """What a value should have been; "" where it is."""
    match kind:
        case Kind.NUMBER if not _WHOLE.fullmatch(value):
            return "a whole number, without dots or a currency"
        case Kind.DATE if not _DATE.fullmatch(value):
            return "a day as dd/mm/yyyy, perhaps with a time (hh:mm:ss) before it"
        case Kind.LINK if not _LINK.fullmatch(value):
            return "a web address"
    return ""


def rendered(template: Template, values: Mapping[str, str]) -> str:
    """The words with the values in their places; its name and values where the platform shows no text."""
    if template.text:
        return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template.text)
    return "\n".join([template.name or template.template_id, *(f"{name}: {value}" for name, value in values.items())])


def message(template: Template, values: Mapping[str, str]) -> Message:
    """The message that uses a template; its text is what our own transcript shows."""
    use = TemplateUse(template.template_id, template.language, tuple(sorted(values.items())))
    return Message(text=rendered(template, values), template=use)


def everyone(session: Session) -> list[Template]:
    """All templates that are known, by account and name, those that are gone too."""
    return [_read(view) for view in templates.everyone(session)]


def find(session: Session, key: Key) -> Template | None:
    """The template that a message of this account names."""
    view = templates.find(session, *key)
    return _read(view) if view else None


@dataclass(frozen=True, slots=True)
class Synced:
    """What a look at the platform's list came to."""

    known: int
    new: int
    changed: int
    gone: int


def keep(session: Session, channel: str, account_id: str, found: Sequence[Template], now: datetime) -> Synced:
    """Take over the platform's whole list of one account; what it lists no more is marked gone. May be called twice."""
    rows = {view.id: _read(view) for view in templates.of_account(session, channel, account_id)}
    ids = {template.key: row for row, template in rows.items()}
    listed = {each.key: _with_reason(each, rows[ids[each.key]]) if each.key in ids else each for each in found}
    new = [template for key, template in listed.items() if key not in ids]
    changed = {ids[key]: template for key, template in listed.items() if key in ids and rows[ids[key]] != template}
    lost = {row for row, template in rows.items() if template.key not in listed and not template.gone}
    templates.add_many(session, [{**_row(each), "synced_at": now, "changed_at": now} for each in new])
    templates.change_many(session, [{"id": row, **_row(each), "changed_at": now} for row, each in changed.items()])
    templates.change_many(session, [{"id": row, "gone": True, "changed_at": now} for row in sorted(lost)])
    templates.mark_synced(session, {ids[key] for key in listed if key in ids}, now)
    return Synced(len(listed), len(new), len(changed), len(lost))


def _with_reason(listed: Template, known: Template) -> Template:
    """A list seldom says why; what an event told holds as long as the status does."""
    return listed if listed.reason or listed.status is not known.status else replace(listed, reason=known.reason)


def note(
    session: Session, channel: str, account_id: str, template_id: str, language: str, now: datetime, **news: str
) -> list[Template]:
    """Note what became known of a template between two looks (`status`, `quality`, `reason`); as it is now.

    Empty news change nothing. `template_id` may be the platform's own number; without a language all languages are
    meant.
    """
    told = [
        view
        for view in templates.of_account(session, channel, account_id)
        if template_id in (view.template_id, view.platform_id) and language in ("", view.language)
    ]
    news = {name: value for name, value in news.items() if value}
    templates.change_many(session, [{"id": view.id, **news, "changed_at": now} for view in told] if news else [])
    return [_read(TemplateView(**{**view._asdict(), **news})) for view in told]


def _row(template: Template) -> dict[str, object]:
    parameters = json.dumps([asdict(each) for each in template.parameters], ensure_ascii=False)
    return {
        "channel": template.channel, "account_id": template.account_id, "template_id": template.template_id,
        "language": template.language, "platform_id": template.platform_id, "name": template.name,
        "status": template.status.value, "quality": template.quality, "tag": template.tag.value,
        "parameters": parameters, "price_phone": template.price_phone, "price_user": template.price_user,
        "text": template.text, "preview_url": template.preview_url, "reason": template.reason, "gone": template.gone,
    }  # fmt: skip


def _read(view: TemplateView) -> Template:
    parameters = tuple(
        Parameter(each["name"], each["required"], each["max_length"], Kind(each["kind"]))
        for each in json.loads(view.parameters)
    )
    return Template(
        view.channel, view.account_id, view.template_id, view.language, view.platform_id, view.name,
        Status(view.status), view.quality, Tag(view.tag), parameters, view.price_phone, view.price_user, view.text,
        view.preview_url, view.reason, view.gone,
    )  # fmt: skip
