"""The rules of the house, read from the source: who may import whom, and what may stand where."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bot", "crm", "handlers", "simulator", "storage", "web")
BELOW = {
    "storage": set(),
    "crm": {"storage"},
    "bot": {"crm", "storage"},
    "handlers": {"bot", "crm", "storage"},
    "web": {"bot", "crm", "storage"},
    "simulator": set(),
    "main": {"bot", "crm", "handlers", "simulator", "storage", "web"},
}

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
STATEMENTS = {"select", "insert", "update", "delete"}
VENDOR_PREFIXES = ("user_send_", "oa_send_", "messaging_", "message_template_", "marketing_message_", "user_click_")
VENDOR_KEYS = {
    # Zalo
    "event_name", "user_submit_info", "user_seen_message", "user_received_message", "user_reacted_message",
    "oa_reacted_message", "user_withdraw", "permission_revoked", "user_id_by_app", "quote_msg_id", "msg_ids",
    "react_icon", "oa_id", "quota_type", "template_data", "change_template_status", "change_template_quota",
    # Zalo's bots
    "getUpdates", "sendMessage", "getWebhookInfo", "chat_type", "error_code", "account_name", "X-Bot-Api-Secret-Token",
    # Messenger
    "entry", "messaging", "postback", "quick_reply", "quick_replies", "watermark", "mids", "is_echo", "appsecret_proof",
    "standby", "optin", "reply_to_mid", "message_edit", "pass_thread_control", "take_thread_control",
    "notification_messages_token", "hub.mode", "hub.challenge", "hub.verify_token", "X-Hub-Signature-256",
    "X-ZEvent-Signature",
}  # fmt: skip

MIGRATIONS = "storage/migrations/versions/"
COMMITS = ("storage/database.py", "storage/migrate.py")
VENDORS = ("bot/channels/messenger/*", "bot/channels/zalo/*", "bot/channels/zalobot/*", "simulator/*")
WEB = ("web/*", "handlers/webhooks.py", "simulator/*", "main.py")
CLIENT = ("bot/channels/*/client.py", "bot/channels/*/channel.py", "bot/caller.py", "simulator/*", "main.py")
ASYNCHRONOUS = (
    "bot/*",
    "web/*",
    "simulator/*",
    "handlers/webhooks.py",
    "storage/database.py",
    "storage/work.py",
    "main.py",
)


@dataclass(frozen=True)
class Source:
    """One file of the product. `path` is relative to the root, with slashes."""

    path: str
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in it."""
        return list(ast.walk(self.tree))

    @cached_property
    def tree(self) -> ast.Module:
        """What it says."""
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The top-level name it lives under."""
        return self.path.split("/")[0].removesuffix(".py")

    @property
    def module(self) -> str:
        """Its dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def stands_in(self, places: tuple[str, ...]) -> bool:
        """Whether its path is one of these patterns."""
        return any(fnmatch(self.path, place) for place in places)

    def at(self, node: ast.AST, words: str) -> str:
        """A fault that an editor can jump to."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {words}"

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Every import with the dotted name it asks for; `from a import b` asks for `a.b`."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node, f"{'.' * node.level}{node.module or ''}.{alias.name}") for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, nested ones too."""
        return (node for node in self.nodes if isinstance(node, FUNCTIONS))


def _product() -> list[Source]:
    files = [ROOT / "main.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in files]


PRODUCT = _product()


def imports_go_down(source: Source) -> Iterator[str]:
    """Rule 1: a room imports itself and the rooms below it; relative imports hide where they go."""
    for node, name in source.imports():
        room = name.split(".")[0]
        if not room:
            yield source.at(node, f"relative import of {name}")
        elif room in BELOW and room != source.room and room not in BELOW[source.room]:
            yield source.at(node, f"{source.room} imports {name}")


def imports_stand_at_the_top(source: Source) -> Iterator[str]:
    """Rule 1: nothing is imported inside a function."""
    for function in source.functions():
        for inner in ast.walk(function):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                yield source.at(inner, f"import inside {function.name}")


def queries_stand_in_storage(source: Source) -> Iterator[str]:
    """Rule 2: only storage writes statements."""
    if source.room == "storage":
        return
    for statement, name in source.imports():
        package, _, last = name.rpartition(".")
        if package.split(".")[0] in ("sqlalchemy", "sqlmodel") and last in STATEMENTS | {"text"}:
            yield source.at(statement, f"imports {name}")
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STATEMENTS:
            yield source.at(node, f"calls {node.func.id}(")


def one_place_commits(source: Source) -> Iterator[str]:
    """Rule 3: transactions begin and end in one place; migrations have their own."""
    if source.stands_in(COMMITS):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("commit", "begin", "begin_nested"):
                yield source.at(node, f"calls .{node.func.attr}(")
            if any(keyword.arg == "autocommit" for keyword in node.keywords):
                yield source.at(node, "asks for autocommit")


def only_doors_are_asynchronous(source: Source) -> Iterator[str]:
    """Rule 3: storage, crm and handlers cannot await, so no transaction spans a wait."""
    if source.stands_in(ASYNCHRONOUS):
        return
    for function in source.functions():
        if isinstance(function, ast.AsyncFunctionDef):
            yield source.at(function, f"{function.name} is asynchronous")


def http_stands_at_doors(source: Source) -> Iterator[str]:
    """Rule 4: the web framework in views and doors, the client in channels' clients, other clients nowhere."""
    for node, name in source.imports():
        package = name.split(".")[0]
        if package in ("requests", "httpx", "urllib3") or name.startswith(("urllib.request", "http.client")):
            yield source.at(node, f"imports {name}")
        if package != "aiohttp":
            continue
        serves = name.startswith(("aiohttp.web", "aiohttp.typedefs"))
        if serves and not source.stands_in(WEB):
            yield source.at(node, f"imports {name}: views live in web/")
        if not serves and not source.stands_in(CLIENT):
            yield source.at(node, f"imports {name}: calls live in bot/channels/*/client.py and bot/caller.py")


def crm_names_no_channel(source: Source) -> Iterator[str]:
    """Rule 4: the business does not know on which channel it happens."""
    if source.room not in ("crm", "storage"):
        return
    for node, word in _literals(source):
        if word in ("zalo", "messenger", "zalobot"):
            yield source.at(node, f"names the channel {word!r}")


def vendor_keys_stand_in_channels(source: Source) -> Iterator[str]:
    """Rule 5: what a platform calls its fields is known in its channel and in the simulator."""
    if source.stands_in(VENDORS):
        return
    for node, word in _literals(source):
        if word in VENDOR_KEYS or word.startswith(VENDOR_PREFIXES):
            yield source.at(node, f"knows the vendor's {word!r}")


def settings_read_the_environment(source: Source) -> Iterator[str]:
    """Rule 6: settings alone."""
    if source.path == "bot/settings.py":
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
            yield source.at(node, f"reads os.{node.attr}")
    for node, name in source.imports():
        if name in ("os.environ", "os.getenv"):
            yield source.at(node, f"imports {name}")


def the_clock_comes_in(source: Source) -> Iterator[str]:
    """Rule 6: the rooms that decide are told the time."""
    if source.room not in ("crm", "handlers"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            owner = node.value
            if isinstance(owner, ast.Name) and owner.id in ("datetime", "date"):
                yield source.at(node, f"asks {owner.id}.{node.attr}")


def files_say_what_they_hold(source: Source) -> Iterator[str]:
    """A file opens with a docstring, unless it is empty."""
    if source.tree.body and not ast.get_docstring(source.tree):
        yield source.at(source.tree, "opens without a docstring")


def public_functions_say_what_they_do(source: Source) -> Iterator[str]:
    """Functions, classes and methods that others may call; a method may rely on another class's words in the same file.

    Alembic calls migrations, and their file speaks.
    """
    if source.path.startswith(MIGRATIONS):
        return
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
    methods = [(owner, node) for owner in classes for node in owner.body if isinstance(node, FUNCTIONS)]
    told = {method.name for _, method in methods if ast.get_docstring(method)}
    for node in source.tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name[0] != "_" and not ast.get_docstring(node):
            yield source.at(node, f"{node.name} has no docstring")
    for owner, method in methods:
        if "_" not in (owner.name[0], method.name[0]) and method.name not in told:
            yield source.at(method, f"{owner.name}.{method.name} has no docstring")


def files_and_functions_are_short(source: Source) -> Iterator[str]:
    """Migrations are as long as the schema."""
    if source.path.startswith(MIGRATIONS):
        return
    if (lines := source.text.count("\n")) > MOST_LINES:
        yield source.at(source.tree, f"{lines} lines; {MOST_LINES} is the most")
    for function in source.functions():
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MOST_LINES_OF_A_FUNCTION:
            yield source.at(function, f"{function.name} has {length} lines; {MOST_LINES_OF_A_FUNCTION} is the most")


def circles(sources: list[Source]) -> Iterator[str]:
    """Modules that import each other, in a ring."""
    known = {source.module for source in sources}
    below = {source.module: {_module(name, known) for _, name in source.imports()} & known for source in sources}
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> Iterator[str]:
        if module in path:
            yield " → ".join((*path[path.index(module) :], module))
        elif module not in done:
            for other in sorted(below[module]):
                yield from walk(other, (*path, module))
            done.add(module)

    for module in sorted(known):
        yield from walk(module, ())


def _module(name: str, known: set[str]) -> str:
    return name if name in known else name.rpartition(".")[0]


def _literals(source: Source) -> Iterator[tuple[ast.AST, str]]:
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, node.value


Rule = Callable[[Source], Iterator[str]]
BROKEN: list[tuple[Rule, str, str]] = [
    (imports_go_down, "storage/points.py", "from crm import loyalty"),
    (imports_go_down, "crm/points.py", "from bot.context import Context"),
    (imports_go_down, "web/points.py", "import handlers.customer.loyalty"),
    (imports_go_down, "handlers/points.py", "from web import app"),
    (imports_go_down, "simulator/points.py", "from storage.database import Database"),
    (imports_go_down, "bot/points.py", "import main"),
    (imports_go_down, "crm/points.py", "from . import loyalty"),
    (imports_stand_at_the_top, "bot/points.py", "def f():\n    from crm import loyalty"),
    (queries_stand_in_storage, "crm/points.py", "from sqlmodel import col, select"),
    (queries_stand_in_storage, "crm/points.py", "rows = select(Entry)"),
    (one_place_commits, "storage/points.py", "def f(session):\n    session.commit()"),
    (one_place_commits, "bot/points.py", "with engine.begin() as connection: pass"),
    (only_doors_are_asynchronous, "handlers/customer/points.py", "async def show(ctx): pass"),
    (only_doors_are_asynchronous, "storage/points.py", "async def balance(session): pass"),
    (http_stands_at_doors, "bot/points.py", "from aiohttp import web"),
    (http_stands_at_doors, "handlers/customer/points.py", "import aiohttp"),
    (http_stands_at_doors, "crm/points.py", "import requests"),
    (crm_names_no_channel, "crm/points.py", "if channel == 'zalo': pass"),
    (vendor_keys_stand_in_channels, "bot/points.py", "body['event_name']"),
    (vendor_keys_stand_in_channels, "handlers/points.py", "kind = 'user_send_text'"),
    (settings_read_the_environment, "web/points.py", "import os\nos.environ['PORT']"),
    (settings_read_the_environment, "web/points.py", "from os import getenv"),
    (the_clock_comes_in, "crm/points.py", "at = datetime.now(UTC)"),
    (files_say_what_they_hold, "crm/points.py", "RATE = 10_000"),
    (public_functions_say_what_they_do, "crm/points.py", "def earn(session): pass"),
    (public_functions_say_what_they_do, "crm/points.py", "class Lot:\n    '''Points.'''\n    def left(self): pass"),
    (files_and_functions_are_short, "crm/points.py", "x = 1\n" * (MOST_LINES + 1)),
    (files_and_functions_are_short, "crm/points.py", "def f():\n" + "    x = 1\n" * MOST_LINES_OF_A_FUNCTION),
]
RULES = list(dict.fromkeys(rule for rule, _, _ in BROKEN))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    faults = [fault for source in PRODUCT for fault in rule(source)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_a_broken_rule_is_found_with_its_place(rule: Rule, path: str, text: str) -> None:
    faults = list(rule(Source(path, text)))
    assert faults and all(fault.startswith(f"{path}:") for fault in faults)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert list(circles(PRODUCT)) == []


def test_a_circle_is_found() -> None:
    ring = [Source("crm/a.py", "from crm import b"), Source("crm/b.py", "from crm.a import earn")]
    assert list(circles(ring)) == ["crm.a → crm.b → crm.a"]
