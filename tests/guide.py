"""The guides as a person follows them, from an empty folder to answers: commands, settings, clicks."""

from __future__ import annotations

import asyncio
import html
import re
import shlex
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, chdir
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp.test_utils import TestServer

import main
from bot import accounts
from bot.commands.arguments import read
from bot.settings import Settings
from simulator import speech
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.people import MESSENGER, ZALO
from simulator.platform import PLATFORM, Platform
from tests.trials.rig import HOST, ROOT, free_port

DOCS = ROOT / "docs"
SETTINGS = {item.name.upper() for item in fields(Settings)}
USER_TOKEN = "the-token-of-a-person-who-manages-the-page"
PROOF = "Qx7code"
PATIENCE_S = 30.0
_FENCE = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\d+\. (.*?)(?=^\d+\. |^[^\s\d]|\Z)", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """One step of a guide: its name, the settings that it asks for, and its commands."""

    name: str
    settings: tuple[str, ...]
    commands: tuple[str, ...]


def chapter(page: str, heading: str) -> str:
    """The text under a heading, up to the next one of its rank."""
    _, found, rest = (DOCS / page).read_text("utf-8").partition(f"\n## {heading}\n")
    assert found, f"{page} has no chapter {heading}"
    return rest.partition("\n## ")[0]


def commands(text: str) -> tuple[str, ...]:
    """What is typed, line by line, without remarks."""
    lines = [line for _, block in _FENCE.findall(text) for line in block.splitlines()]
    return tuple(line.partition("     #")[0].strip() for line in lines if line.strip())


def steps(page: str, heading: str) -> list[Step]:
    """The numbered steps of a chapter of the guide to connect."""
    found = []
    for text in _STEP.findall(chapter(page, heading)):
        named = re.findall(r"`([A-Z_]+)(?:=[^`]*)?`", text)
        name = re.sub(r"[*`]", "", re.split(r"[.:(]", text, maxsplit=1)[0]).strip()
        found.append(Step(name, tuple(dict.fromkeys(each for each in named if each in SETTINGS)), commands(text)))
    return found


class Took(NamedTuple):
    """How long one step took, in seconds, without the person's own reading and clicking."""

    guide: str
    step: str
    seconds: float

    def told(self) -> dict[str, object]:
        """For a table."""
        return {"guide": self.guide, "step": self.step, "seconds": round(self.seconds, 1)}


@dataclass(slots=True)
class Newcomer:
    """Somebody with an empty server, who types what the guides say. `/etc/khachquen` is a folder of their own."""

    folder: Path
    platform: Platform
    http: aiohttp.ClientSession
    port: int = field(default_factory=free_port)
    took: list[Took] = field(default_factory=list)
    key: str = ""
    unfinished: list[str] = field(default_factory=list)
    printed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _service: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the service is reached; no proxy stands before it here."""
        return f"http://{HOST}:{self.port}"

    @property
    def env(self) -> Path:
        """The settings."""
        return self.folder / ".env"

    def sets(self, name: str, value: str) -> None:
        """Fill in a line of `.env` in an editor; it must be there."""
        before = self.env.read_text("utf-8")
        after, found = re.subn(rf"^{name}=.*$", lambda _: f"{name}={value}", before, flags=re.MULTILINE)
        assert found == 1, f".env.example has {found} lines for {name}"
        self.env.write_text(after, "utf-8")

    async def shell(self, line: str) -> str:
        """A command of the system's own, in the folder of the settings; what it printed. It must succeed."""
        process = await asyncio.create_subprocess_exec(*shlex.split(line), stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert process.returncode == 0, line
        return out.decode()

    async def kq(self, *words: str, ok: bool = True) -> str:
        """`kq`: a command of ours with the settings of this folder alone; what it prints at its end."""
        arguments, settings = read(words), Settings.from_env(environment={})
        async with asyncio.timeout(PATIENCE_S):
            match arguments.command:
                case "migrate":
                    report = main.run_migrate(settings)
                case "doctor":
                    report = await main.examined(arguments, settings)
                case _:
                    report = await main.beside(arguments, settings, main.now, self.printed.put_nowait)
        assert report.ok is ok, report.lines
        return "\n".join(report.lines)

    # --- systemd ------------------------------------------------------------------------------------------------------

    async def starts(self) -> None:
        """`systemctl start`: what the unit of the guide says, before and then."""
        unit = (DOCS / "deploy" / "khachquen.service").read_text("utf-8")
        before, then = (
            re.findall(rf"^{key}=/opt/khachquen/\.venv/bin/khachquen (.*)$", unit, re.MULTILINE)
            for key in ("ExecStartPre", "ExecStart")
        )
        assert then == ["serve"]
        for line in before:
            await self.kq(*line.split())
        self._stop, self._service = asyncio.Event(), asyncio.create_task(self._serve())
        await self.is_alive()

    async def _serve(self) -> None:
        settings = Settings.from_env(environment={})
        composed = main.compose(settings)
        async with composed as (_, app), main.listening(app, settings.host, settings.port):
            await self._stop.wait()

    async def restarts(self) -> None:
        """`systemctl restart`."""
        await self.stops()
        await self.starts()

    async def stops(self) -> None:
        """`systemctl stop`."""
        self._stop.set()
        if self._service is not None:
            await self._service

    async def is_alive(self) -> None:
        """`curl …/healthz` until it answers."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if self._service is not None and self._service.done():
                    self._service.result()
                try:
                    async with self.http.get(f"{self.url}/healthz") as answer:
                        assert answer.status == 200
                        return
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.05)

    # --- the installation ---------------------------------------------------------------------------------------------

    async def installs(self) -> None:
        """The chapters of the installation, command by command; one that nobody taught us is a failure."""
        for name in ("1. The program", "2. The settings", "3. The service", "4. HTTPS", "5. A look"):
            began = time.monotonic()
            for line in commands(chapter("install.md", name)):
                await self._typed(line)
            self.took.append(Took("install.md", name, time.monotonic() - began))

    async def _typed(self, line: str) -> None:
        if line in NOT_HERE or re.match(r"^(DATABASE_URL|SECRET_KEY|PUBLIC_URL|TRUSTED_PROXIES|BRAND_NAME)=", line):
            return
        await TYPED[line](self)

    async def copies_the_example(self) -> None:
        """`install … .env.example /etc/khachquen/.env`, with what only this computer needs."""
        self.env.write_text((ROOT / ".env.example").read_text("utf-8"), "utf-8")
        base = self.platform.media.base_url
        for name, value in {
            "PORT": str(self.port), "ZALO_API_URL": f"{base}/zalo", "ZALO_OAUTH_URL": f"{base}/zalo-oauth",
            "ZALO_BUSINESS_API_URL": f"{base}/zalo-business", "MESSENGER_GRAPH_URL": f"{base}/graph/v26.0",
        }.items():  # fmt: skip
            self.sets(name, value)

    async def makes_a_key(self) -> None:
        """`python3 -c …`."""
        self.key = (await self.shell(MAKE_A_KEY)).strip()

    async def edits_the_settings(self) -> None:
        """`nano`: what the guide says to set at least."""
        told = {
            "DATABASE_URL": f"sqlite:///{self.folder}/khachquen.db", "SECRET_KEY": self.key, "PUBLIC_URL": self.url,
            "TRUSTED_PROXIES": "127.0.0.1", "BRAND_NAME": "Mây Trưa",
        }  # fmt: skip
        lines = [line for line in commands(chapter("install.md", "2. The settings")) if re.match(r"^[A-Z_]+=", line)]
        for name in (line.partition("=")[0] for line in lines):
            self.sets(name, told[name])

    async def sees_the_doctor(self) -> None:
        """`kq doctor`, while something is missing: it exits with 1 and names the next thing."""
        self.unfinished.append(await self.kq("doctor", ok=False))

    # --- the platforms ------------------------------------------------------------------------------------------------

    async def connects(self, page: str, heading: str) -> None:
        """A chapter of the guide to connect: settings, restart, clicks in the platform's console, commands."""
        clicks = CLICKS[heading]
        found = steps(page, heading)
        assert len(found) == len(clicks), [step.name for step in found]
        for step, click in zip(found, clicks, strict=True):
            began = time.monotonic()
            values = {name: value for name, value in self._values().items() if name in step.settings}
            assert set(values) == set(step.settings), step
            for name, value in values.items():
                self.sets(name, value)
            if values:
                await self.restarts()
            if click is not None:
                await click(self)
            for line in step.commands:
                await TYPED[line](self)
            self.took.append(Took(page, f"{heading}: {step.name}", time.monotonic() - began))

    def _values(self) -> dict[str, str]:
        """What the consoles show, and words of our own."""
        config = self.platform.config
        return {
            "ZALO_APP_ID": config.zalo_app_id, "ZALO_APP_SECRET": config.zalo_app_secret, "PUBLIC_URL": self.url,
            "ZALO_SITE_VERIFICATION": PROOF, "ZALO_OA_SECRET_KEY": config.zalo_oa_secret_key,
            "MESSENGER_APP_ID": config.messenger_app_id, "MESSENGER_APP_SECRET": config.messenger_app_secret,
            "MESSENGER_VERIFY_TOKEN": config.messenger_verify_token,
        }  # fmt: skip

    async def domain_is_verified(self) -> None:
        """Zalo fetches its file."""
        async with self.http.get(f"{self.url}/zalo_verifier{PROOF}.html") as answer:
            assert answer.status == 200 and PROOF in await answer.text()

    async def zalo_takes_the_address(self) -> None:
        """Zalo's console tries the address with an empty body, although no key is set yet."""
        async with self.http.post(f"{self.url}/webhooks/zalo", data=b"") as answer:
            assert answer.status == 200
        self.platform.set_bot_url(self.url)

    async def facebook_takes_the_address(self) -> None:
        """Facebook's dashboard shakes hands."""
        config = self.platform.config
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": config.messenger_verify_token,
            "hub.challenge": "1158201444",
        }
        async with self.http.get(f"{self.url}/webhooks/messenger", params=query) as answer:
            assert (answer.status, await answer.text()) == (200, "1158201444")

    async def adds_the_oa(self) -> None:
        """`kq account add zalo` in one window, the browser in another."""
        window = asyncio.create_task(self.kq("account", "add", "zalo"))
        async with asyncio.timeout(PATIENCE_S):
            address = await self.printed.get()
            async with self.http.get(address, headers={"Accept": "text/html"}) as page:
                link = re.search(r'id="allow" href="([^"]+)"', await page.text())
            assert link, address
            async with self.http.get(html.unescape(link[1])) as page:
                assert page.status == 200, await page.text()
        assert "is connected" in await window

    async def makes_the_token_file(self) -> None:
        """`install … token.txt`."""
        (self.folder / "token.txt").touch(0o600)

    async def writes_the_token(self) -> None:
        """`nano token.txt`, with a token that is an hour young."""
        (self.folder / "token.txt").write_text(f"{USER_TOKEN}\n")

    async def adds_the_page(self) -> None:
        """`kq account add messenger`."""
        assert "is connected" in await self.kq("account", "add", "messenger", "--user-token-file", "token.txt")

    async def removes_the_token_file(self) -> None:
        """`rm token.txt`."""
        (self.folder / "token.txt").unlink()

    async def is_answered(self, channel: str) -> None:
        """Somebody writes to the brand from a chat of their own and hears something."""
        began = time.monotonic()
        seen = len(self.platform.journal)
        contact = self.platform.people.meet(channel, "lan", self.platform.now())
        speech.say_text(self.platform, contact, "xin chào")
        async with asyncio.timeout(PATIENCE_S):
            while True:
                calls = await self.platform.wait_for_calls(seen, PATIENCE_S)
                if any(call.channel == channel and call.text for call in calls):
                    break
                seen += len(calls)
        self.took.append(Took("connect.md", f"{channel} answers", time.monotonic() - began))


MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
TYPED: dict[str, Callable[[Newcomer], Awaitable[None]]] = {
    "sudo install -m 640 -g khachquen /opt/khachquen/.env.example /etc/khachquen/.env": Newcomer.copies_the_example,
    MAKE_A_KEY: Newcomer.makes_a_key,
    "sudo nano /etc/khachquen/.env": Newcomer.edits_the_settings,
    "sudo systemctl enable --now khachquen": Newcomer.starts,
    "sleep 5; curl http://127.0.0.1:8080/healthz": Newcomer.is_alive,
    "kq doctor": Newcomer.sees_the_doctor,
    "kq account add zalo": Newcomer.adds_the_oa,
    "sudo install -m 600 -o khachquen /dev/null /etc/khachquen/token.txt": Newcomer.makes_the_token_file,
    "sudo nano /etc/khachquen/token.txt": Newcomer.writes_the_token,
    "kq account add messenger --user-token-file token.txt": Newcomer.adds_the_page,
    "sudo rm /etc/khachquen/token.txt": Newcomer.removes_the_token_file,
}
"""What each command of the guides comes to without root, systemd and a name in the internet."""
NOT_HERE = frozenset(
    {
        "sudo apt update && sudo apt install -y git make python3-venv curl",
        "sudo git clone <this repository> /opt/khachquen",
        "cd /opt/khachquen && sudo make setup",
        "sudo ln -s /opt/khachquen/.venv/bin/khachquen /usr/local/bin/khachquen",
        "sudo useradd --system --home-dir /var/lib/khachquen --shell /usr/sbin/nologin khachquen",
        "sudo install -d /etc/khachquen",
        "sudo cp docs/deploy/khachquen.service /etc/systemd/system/",
        "sudo systemctl daemon-reload",
        "sudo apt install -y caddy",
        "sudo cp docs/deploy/Caddyfile /etc/caddy/Caddyfile",
        "sudo sed -i 's|https://chat.example.vn|https://<your domain>|' /etc/caddy/Caddyfile",
        "sudo systemctl reload caddy",
        "curl https://<your domain>/healthz",
        "echo 'kq() { (cd /etc/khachquen && sudo -u khachquen /usr/local/bin/khachquen \"$@\"); }' >> ~/.bashrc "
        "&& . ~/.bashrc",
    }
)
"""What is there already where tests run, or would change the computer."""
CLICKS: dict[str, tuple[Callable[[Newcomer], Awaitable[None]] | None, ...]] = {
    "Zalo OA": (
        None, Newcomer.domain_is_verified, Newcomer.zalo_takes_the_address, None, None, None, None,
    ),
    "Facebook Messenger": (None, Newcomer.facebook_takes_the_address, None, None, None, None, None),
}  # fmt: skip
"""What happens in the platform's console at each step."""


async def followed(folder: Path) -> Newcomer:
    """Everything, from an empty folder to an OA and a Page that answer; what remains to be mended is asserted."""
    async with _moved_in(folder) as newcomer:
        await newcomer.installs()
        for heading, channel in (("Zalo OA", ZALO), ("Facebook Messenger", MESSENGER)):
            await newcomer.connects("connect.md", heading)
            await newcomer.is_answered(channel)
        began = time.monotonic()
        assert "MEND" not in await newcomer.kq("doctor")
        newcomer.took.append(Took("install.md", "kq doctor finds nothing to mend", time.monotonic() - began))
        return newcomer


@asynccontextmanager
async def _moved_in(folder: Path) -> AsyncIterator[Newcomer]:
    """A person takes longer to write than a running service to notice a new account; a test does not, so it looks at
    once."""
    config = replace(
        SimulatorConfig(), zalo_access_token="", zalo_refresh_token="", messenger_user_token=USER_TOKEN, receipts=False
    )
    simulator = create_app(config)
    async with TestServer(simulator, host=HOST) as played, aiohttp.ClientSession() as http:
        platform = simulator[PLATFORM]
        platform.media.base_url = str(played.make_url("")).rstrip("/")
        platform.page.fields = set()
        newcomer = Newcomer(folder, platform, http)
        before, accounts.FRESH_FOR_S = accounts.FRESH_FOR_S, 0.0
        try:
            with chdir(folder):
                yield newcomer
        finally:
            accounts.FRESH_FOR_S = before
            await newcomer.stops()
