"""`khachquen template`: the templates that the platforms approved, read anew, listed and tried out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from bot import registry
from bot.channels.base import Channel, SendError
from bot.commands.report import Outside, Refused, Report, table
from bot.renewal import Held
from bot.settings import Settings
from crm import templates
from crm.templates import Parameter, Template
from crm.words import clipped
from storage import accounts
from storage.database import Database


async def run(arguments: Namespace, database: Database, settings: Settings, outside: Outside) -> Report:
    """List, read anew or preview. Raises Refused."""
    match arguments.action:
        case "list":
            return _listed(await _known(arguments, database), all_of_them=arguments.all)
        case "sync":
            return await _synced(arguments, database, outside)
    return _previewed(arguments, await _known(arguments, database), outside.channels)


async def _known(arguments: Namespace, database: Database) -> list[Template]:
    return [
        each for each in await database.read(templates.everyone) if _wanted(arguments, each.channel, each.account_id)
    ]


def _wanted(arguments: Namespace, channel: str, account_id: str) -> bool:
    return arguments.channel in (None, channel) and arguments.account in (None, account_id)


def _listed(known: Sequence[Template], *, all_of_them: bool) -> Report:
    shown = [each for each in known if all_of_them or not each.gone]
    rows = [
        (each.channel, each.template_id, each.language, clipped(each.name, 30), _standing(each), each.quality,
         each.tag.value, _price(each), ", ".join(map(_gap, each.parameters)))
        for each in shown
    ]  # fmt: skip
    return Report([_data(each) for each in shown], table(rows, "No template is known: khachquen template sync asks."))


def _standing(template: Template) -> str:
    return "gone" if template.gone else template.status.value


def _price(template: Template) -> str:
    if not (template.price_phone or template.price_user):
        return "-"
    return f"{template.price_user}đ, by phone {template.price_phone}đ"


def _gap(parameter: Parameter) -> str:
    limit = f"≤{parameter.max_length}" if parameter.max_length else ""
    return f"{parameter.name}{'' if parameter.required else '?'}{limit}"


def _data(template: Template) -> dict[str, Any]:
    parameters = [
        {"name": each.name, "required": each.required, "max_length": each.max_length, "kind": each.kind.value}
        for each in template.parameters
    ]
    return {
        "channel": template.channel, "account_id": template.account_id, "template_id": template.template_id,
        "language": template.language, "name": template.name, "status": template.status.value, "gone": template.gone,
        "usable": template.is_usable, "reason": template.reason, "quality": template.quality,
        "tag": template.tag.value, "price_user": template.price_user, "price_phone": template.price_phone,
        "parameters": parameters, "text": template.text, "preview_url": template.preview_url,
    }  # fmt: skip


async def _synced(arguments: Namespace, database: Database, outside: Outside) -> Report:
    """Every wanted account by itself: where one fails, the others are read all the same."""
    views = [
        view
        for view in await database.read(accounts.everyone)
        if view.held != accounts.REMOVED and _wanted(arguments, view.channel, view.account_id)
    ]
    if not views:
        raise Refused("no such account is connected: khachquen account list shows those that are")
    data: list[dict[str, Any]] = []
    lines: list[str] = []
    for view in views:
        name = f"{view.channel} {view.account_id}"
        entry: dict[str, Any] = {"channel": view.channel, "account_id": view.account_id}
        try:
            account = await outside.accounts.get(view.channel, view.account_id)
            synced = await registry.sync(database, outside.channels[view.channel], account, outside.clock)
        except Held:
            entry["error"] = "the account cannot send: connect it again (khachquen account add)"
            lines.append(f"{name}: {entry['error']}")
        except SendError as error:
            entry["error"] = str(error)
            lines.append(f"{name}: {error}")
        else:
            entry |= {"known": synced.known, "new": synced.new, "changed": synced.changed, "gone": synced.gone}
            lines.append(
                f"{name}: {synced.known} known, {synced.new} new, {synced.changed} changed, {synced.gone} gone"
            )
        data.append(entry)
    return Report(data, lines, ok=not any("error" in entry for entry in data))


def _previewed(arguments: Namespace, known: Sequence[Template], channels: Mapping[str, Channel]) -> Report:
    template = _chosen(arguments, known)
    values = dict(arguments.values)
    wrong = templates.problems(template, values)
    if not template.is_usable:
        wrong.insert(0, f"it cannot be used: {template.why_not}")
    lanes = [
        {"lane": lane.name, "price": template.terms.price_phone if lane.by_phone else template.terms.price_user}
        for lane in channels[template.channel].rules.lanes
        if lane.template
    ]
    text = templates.rendered(template, values)
    data = {**_data(template), "text": text, "problems": wrong, "lanes": lanes}
    lines = [text, *([template.preview_url] if template.preview_url else []), ""]
    lines += [f"{each['lane']}: {each['price']}đ" for each in lanes]
    lines += [f"! {each}" for each in wrong]
    return Report(data, lines, ok=not wrong)


def _chosen(arguments: Namespace, known: Sequence[Template]) -> Template:
    found = [
        each
        for each in known
        if arguments.template in (each.template_id, each.name) and arguments.language in (None, each.language)
    ]
    if not found:
        raise Refused(
            f"no template {arguments.template!r} is known: khachquen template list shows them, sync asks anew"
        )
    if len(found) > 1:
        told = ", ".join(
            f"{each.channel} {each.account_id} {each.template_id} {each.language}".strip() for each in found
        )
        raise Refused(f"several templates are called so; say which by id, --account or --language: {told}")
    return found[0]
