"""The documentation is true: settings, commands, routes, figures, links and the README's two commands exist."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import main
from bot.channels.messenger.page import SUBSCRIBED_FIELDS
from bot.commands.arguments import parser
from bot.settings import Settings
from crm.care_rules import Goal, Late, LeapDay, Moment
from handlers import STAFF_ROUTERS
from handlers.staff.broadcasts import ORDERS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
EVERYWHERE = {"--help", "--json"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def page(name: str) -> str:
    """The text of one page."""
    return (DOCS / name).read_text("utf-8")


def leaves(command: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    """Every command with its own options."""
    groups = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    for group in groups:
        for name, below in group.choices.items():
            yield from leaves(below, (*path, name))
    if not groups:
        options = {option for action in command._actions for option in action.option_strings if option[:2] == "--"}
        yield " ".join(path), options - EVERYWHERE


COMMANDS = dict(leaves(parser()))


@pytest.mark.parametrize("name", [field.name.upper() for field in fields(Settings)])
def test_every_setting_is_explained(name: str) -> None:
    assert f"`{name}`" in page("settings.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_chapter_that_names_its_options(command: str) -> None:
    _, found, rest = page("commands.md").partition(f"## `khachquen {command}`\n")
    chapter, _, _ = rest.partition("\n## ")
    assert found and all(f"`{option}`" in chapter or f"{option} " in chapter for option in COMMANDS[command])


def test_no_chapter_tells_of_a_command_that_is_not_there() -> None:
    told = re.findall(r"^## `khachquen ([^`]+)`$", page("commands.md"), re.MULTILINE)
    assert sorted(told) == sorted(COMMANDS)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_in_the_pages_exists(path: Path) -> None:
    told = re.findall(r"\b(?:khachquen|kq) ((?:[a-z]+ ?)+)", "\n".join(CODE.findall(path.read_text("utf-8"))))
    firsts = {command.split()[0] for command in COMMANDS}
    groups = {command.split()[0] for command in COMMANDS if " " in command}
    for words in map(str.split, told):
        assert words[0] in firsts, words
        assert words[0] not in groups or len(words) == 1 or " ".join(words[:2]) in COMMANDS, words


async def test_every_address_is_explained(tmp_path: Path, sqlite_template: Path) -> None:
    copy = tmp_path / "docs.db"
    shutil.copy(sqlite_template, copy)
    settings = Settings(database_url=f"sqlite:///{copy}", secret_key="a key for the test of docs")
    async with main.compose(settings, worker=False) as (_, app):
        routes = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    told = page("http.md") + page("api.md")
    assert {
        f"{method} {path}" for method, path in routes if method != "HEAD" and not tells(told, method, path)
    } == set()
    assert ("POST", "/webhooks/zalo") in routes and ("PUT", "/api/v1/customers/{external_id}") in routes


def tells(text: str, method: str, path: str) -> bool:
    """Whether a page names this address: as it is, or in the API's examples with values in its gaps."""
    if f"`{method} {path}`" in text or f"`{path}`" in text:
        return True
    gaps = re.sub(r"\\{\w+\\}", r"[^/`\\s?]+", re.escape(path.removeprefix("/api/v1")))
    called = rf'`{method} {gaps}[`?]|-X {method} "\$URL/api/v1{gaps}"'
    return path.startswith("/api/v1/") and re.search(called, text) is not None


def test_an_address_that_no_page_names_is_found() -> None:
    told = page("http.md") + page("api.md")
    assert not tells(told, "DELETE", "/api/v1/customers/{external_id}")
    assert not tells(told, "GET", "/api/v1/vouchers")
    assert not tells(told, "GET", "/console")


@pytest.mark.parametrize("name", ["connect.md", "connect.vi.md"])
def test_the_guide_names_every_field_that_a_page_is_subscribed_to(name: str) -> None:
    assert [field for field in SUBSCRIBED_FIELDS if f"`{field}`" not in page(name)] == []


@pytest.mark.parametrize("name", ["care.md", "cham-soc.vi.md"])
def test_every_word_that_a_care_rule_may_choose_is_explained(name: str) -> None:
    text = page(name)
    choices = [*Moment, *Goal, *Late, *LeapDay]
    assert [word for word in choices if word and not re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", text)] == []
    rows = re.findall(r"^\| (`[^|]*) \|", text.partition("`moment`")[2], re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(Moment)


@pytest.mark.parametrize("name", ["marketer.md", "marketer.vi.md"])
def test_the_marketers_guide_names_every_command_and_every_order_about_broadcasts(name: str) -> None:
    text = page(name)
    commands = [command for command in COMMANDS if command.startswith("broadcast ")]
    assert [each for each in commands if f"khachquen {each}" not in text] == []
    told = " ".join(re.findall(r"^\| (.*)$", text.partition("`/gui moi`")[2], re.MULTILINE))
    orders = {spoken[0] for spoken in ORDERS} | ({spoken[1] for spoken in ORDERS} if name == "marketer.md" else set())
    assert sorted(each for each in orders if not re.search(rf"`[^`]*\b{each}\b[^`]*`", told)) == []


def test_help_and_refusals_about_broadcasts_name_every_order() -> None:
    command = next(each for router in STAFF_ROUTERS for each in router.commands if each.name == "gui")
    for vi, en, *_ in ORDERS:
        assert re.search(rf"\b{vi}\b", command.usage) and re.search(rf"\b{en}\b", command.en), (vi, en)


def test_every_figure_is_explained() -> None:
    ours = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("khachquen_")}
    text = page("operations-health.md") + page("operator.md")
    assert ours and [name for name in sorted(ours) if not re.search(rf"`{name}(_total)?[`{{]", text)] == []


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_two_commands_of_the_readme_are_targets(name: str) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    told = re.findall(r"^make (\w+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    assert told == ["run", "test"] and set(told) <= set(targets)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in LINK.findall(CODE.sub("", path.read_text("utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = HEADING.findall(path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text
