"""`khachquen doctor` asks for real: what stands between the platforms and us is named, and who mends it."""

from __future__ import annotations

import asyncio
import datetime as dates
import io
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from multidict import CIMultiDict

import main
from bot.caller import Caller
from bot.channels.base import Keys
from bot.channels.messenger.channel import Messenger
from bot.channels.zalo.channel import Zalo
from bot.commands import doctor
from bot.commands.report import Report
from bot.settings import Settings
from simulator import speech
from simulator.people import MESSENGER, ZALO
from storage import alarms
from tests.conftest import Clock
from tests.pipeline.stage import Stage, environment, playing

Json = dict[str, Any]


@pytest.fixture
async def stage(sqlite_url: str, clock: Clock) -> AsyncIterator[Stage]:
    """The product on the true clock of the day, for the doctor compares it with the platforms'."""
    clock.now = main.now()
    async with playing(sqlite_url, clock, receipts=True) as stage:
        yield stage


@dataclass(slots=True)
class Between:
    """A proxy before the product that does to requests what some proxies do."""

    target: str
    drops: tuple[str, ...] = ()
    room: int = 4 * 1024 * 1024
    changes: bool = False
    instead: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    only: str = ""
    passed: list[str] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Pass one request on, or answer it instead."""
        if self.instead is not None and request.path.startswith(self.only):
            return await self.instead(request)
        body = await request.read()
        if len(body) > self.room:
            return web.Response(status=413)
        headers = CIMultiDict(
            (name, value)
            for name, value in request.headers.items()
            if name.lower() not in (*self.drops, "host", "content-length")
        )
        self.passed.append(request.path)
        url = f"{self.target}{request.path_qs}"
        async with (
            aiohttp.ClientSession() as http,
            http.request(request.method, url, headers=headers, data=io.BytesIO(body + b" " * self.changes)) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The address of a server that answers everything so."""
    app = web.Application(client_max_size=8 * 1024 * 1024)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def examined(stage: Stage, public_url: str, *, offline: bool = False, **settings: str) -> Report:
    """What the doctor says when PUBLIC_URL is this address."""
    base, url = stage.platform.media.base_url, stage.service.database.url
    given = {"PUBLIC_URL": public_url, "BRAND_NAME": "Mây Trưa", **settings}
    known = Settings.from_env(None, environment(stage.platform.config, base, url, **given))
    async with asyncio.timeout(40):
        return await main.examined(Namespace(offline=offline), known, stage.clock)


def told(report: Report, area: str, *states: str) -> list[str]:
    """What it found in one area."""
    return [
        f"{each['words']} {each['remedy']}"
        for each in report.data["findings"]
        if each["area"] == area and each["state"] in (states or ("mend",))
    ]


# --- the way in -------------------------------------------------------------------------------------------------------


async def test_a_whole_shop_is_reached_through_both_doors_and_nothing_of_the_look_stays(stage: Stage) -> None:
    report = await examined(stage, stage.url)
    assert report.ok, report.lines
    assert told(report, "address", "ok") == [
        "This service is reached through PUBLIC_URL, with the headers it needs. ",
        f"{stage.url}/webhooks/zalo takes Zalo's check of the address. ",
        f"{stage.url}/webhooks/zalo takes a signed test event of Zalo's shape. ",
        f"{stage.url}/webhooks/messenger takes Facebook's handshake. ",
        f"{stage.url}/webhooks/messenger takes a signed test event of Facebook's shape. ",
    ]
    assert "an address inside your own network" in told(report, "address", "note")[0]
    assert len(told(report, "outside", "ok")) == 2
    assert "agrees with that of zalo and messenger" in " ".join(told(report, "clock", "ok"))
    assert await stage.count("inbox") == 0


async def test_pending_channels_are_tried_as_their_consoles_do(stage: Stage) -> None:
    for channel in (Zalo(stage.http), Messenger(stage.http)):
        probes = channel.probes(Keys(verify_token="words"), stage.clock(), "nonce")
        keys = Keys(verify_token="words")
        for each in probes:
            if each.method == "POST":
                assert channel.receive(each.headers, each.body, keys, stage.clock()).status == 200
            else:
                assert channel.challenge(each.query, keys) == each.answer


async def test_a_proxy_that_spoils_webhooks_is_named(stage: Stage) -> None:
    for does, words in (
        (
            {"drops": ("x-zevent-signature", "x-hub-signature-256")},
            [
                "drops the header X-Hub-Signature-256, X-ZEvent-Signature: no webhook can be verified",
                "webhooks/zalo answers a signed test event of Zalo's shape with 403",
                "Facebook's shape with 403",
            ],
        ),
        ({"drops": ("x-khachquen-knock",)}, ["another SECRET_KEY or version, or a cache or proxy"]),
        ({"room": 1024 * 1024}, ["Zalo's shape with 413", "client_max_body_size", "Facebook's shape with 413"]),
        ({"changes": True}, ["Zalo's shape with 403", "a proxy changes the body"]),
    ):
        async with served(Between(stage.url, **does)) as url:
            said = " ".join(told(await examined(stage, url), "address"))
        assert [each for each in words if each not in said] == [], said


async def test_a_proxy_that_drops_names_with_an_underscore_does_no_harm_and_is_told_of(stage: Stage) -> None:
    async with served(Between(stage.url, drops=("num_retry",))) as url:
        report = await examined(stage, url)
    assert report.ok
    assert "underscores_in_headers on" in " ".join(told(report, "address", "note"))


def answering(status: int, text: str = "", **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A server that always says the same."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


async def test_what_stands_at_the_address_instead_of_us_is_told(stage: Stage) -> None:
    for instead, words in (
        (answering(301, Location="https://www.shop.example/?x=1"), "a redirect to https://www.shop.example/;"),
        (answering(200, "<h1>Welcome to nginx!</h1>"), "answered by something else than this service"),
        (answering(200, '{"alive": true}'), "answered by a Khách Quen with another SECRET_KEY or version"),
        (answering(502, "Bad Gateway"), "with 502. Whoever runs the server starts khachquen serve"),
        (answering(401), "takes the password away"),
        (answering(404), "lets the proxy pass every path on"),
        (answering(418), "sees in the log of Caddy or nginx who says so"),
    ):
        async with served(instead) as url:
            said = told(await examined(stage, url), "address")
        assert len(said) == 1 and words in said[0], said


async def test_a_page_that_answers_the_doors_alone_is_found(stage: Stage) -> None:
    async with served(Between(stage.url, instead=answering(200, "hello"), only="/webhooks/messenger")) as url:
        said = told(await examined(stage, url), "address")
    assert len(said) == 1 and "answers Facebook's handshake with something else" in said[0]


async def test_a_name_that_leads_nowhere_a_shut_port_and_no_address_are_told_apart(stage: Stage) -> None:
    for url, words in (
        ("https://no-such-name.invalid", "has a name that leads nowhere (DNS). Whoever manages the domain"),
        (f"http://127.0.0.1:{unused_port()}", "takes no connection"),
        ("chat.example.vn", "is no address that can be called"),
        ("https://", "is no address that can be called"),
    ):
        said = told(await examined(stage, url), "address")
        assert words in said[-1], said


async def test_an_address_without_tls_is_not_for_the_platforms(stage: Stage) -> None:
    said = told(await examined(stage, "http://no-such-name.invalid"), "address")
    assert "does not begin with https://; the platforms call nothing else" in said[0]


async def test_who_never_answers_does_not_hold_the_doctor_up(stage: Stage) -> None:
    """A server that takes the request and says nothing, with the time limit of the true caller cut short."""
    asleep = asyncio.Event()

    async def sleeps(request: web.Request) -> web.StreamResponse:
        await asleep.wait()
        return web.Response()

    async with served(sleeps) as url, aiohttp.ClientSession() as http:
        base = stage.platform.media.base_url
        given = environment(stage.platform.config, base, stage.service.database.url, PUBLIC_URL=url)
        known = Settings.from_env(None, given)
        channels = main.channels_of(known, http)
        report = await doctor.run(Namespace(offline=False), known, channels, Caller(http, 0.2), stage.clock)
        asleep.set()
    assert "does not answer in time" in told(report, "address")[0]


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[ssl.SSLContext]:
    """A certificate that nobody vouches for."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dates.datetime.now(dates.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dates.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    yield context


async def test_a_certificate_that_nobody_vouches_for_is_told_in_the_systems_words(
    stage: Stage, self_signed: ssl.SSLContext
) -> None:
    app = web.Application()
    async with TestServer(app, scheme="https") as server:
        await server.close()
        server = TestServer(app, scheme="https")
        await server.start_server(ssl=self_signed)
        said = told(await examined(stage, str(server.make_url("")).rstrip("/")), "address")
        await server.close()
    assert "has a certificate that is not valid for it: self-signed certificate" in said[0]


async def test_a_port_that_speaks_no_tls_is_told(stage: Stage) -> None:
    said = told(await examined(stage, stage.url.replace("http://", "https://")), "address")
    assert "does not speak TLS" in said[0]


# --- the platforms ----------------------------------------------------------------------------------------------------


async def test_a_clock_that_differs_from_the_platforms_is_told(stage: Stage) -> None:
    ahead = answering(404, Date=format_datetime(main.now() + dates.timedelta(minutes=5), usegmt=True), Age="60")
    async with served(ahead) as url:
        report = await examined(stage, stage.url, ZALO_API_URL=url)
    said = " ".join(told(report, "clock"))
    assert "s behind that of zalo" in said and "NTP" in said
    assert 355 <= int(said.partition("clock is ")[2].partition(" s")[0]) <= 365


async def test_a_platform_that_cannot_be_called_from_here_is_told(stage: Stage) -> None:
    report = await examined(stage, stage.url, MESSENGER_GRAPH_URL="https://no-such-name.invalid/v26.0")
    assert "messenger (no-such-name.invalid) has a name that leads nowhere (DNS)" in told(report, "outside")[0]
    assert "could not be asked about" in " ".join(told(report, "accounts", "note"))


async def test_accounts_are_asked_about_live_and_a_page_is_subscribed_anew(stage: Stage) -> None:
    stage.platform.page.fields.clear()
    report = await examined(stage, stage.url)
    assert "was mended: subscribed to messages" in " ".join(told(report, "accounts", "note"))
    assert report.ok and len(told(report, "accounts", "ok")) == 2
    quiet = await examined(stage, stage.url, offline=True)
    assert "0 h ago: verified: yes" in " ".join(told(quiet, "accounts", "ok"))


async def test_what_a_platform_finds_wrong_is_told_once_with_the_account(stage: Stage) -> None:
    stage.goes_wrong("code", host="zalo", path="getoa", code=-224)
    report = await examined(stage, stage.url)
    said = told(report, "accounts") + told(report, "alarms")
    assert len(said) == 1 and "package has ended" in said[0] and "This is about zalo" in said[0]


async def test_a_refused_token_is_told_and_no_new_one_is_fetched(stage: Stage) -> None:
    stage.platform.zalo_tokens.expire()
    report = await examined(stage, stage.url)
    said = " ".join(told(report, "accounts"))
    assert f"The token of zalo {stage.platform.config.zalo_oa_id} is refused" in said
    assert "A running service renews it within minutes" in said
    assert stage.platform.zalo_tokens.pairs_issued == 0


async def test_offline_calls_nobody(stage: Stage) -> None:
    async with served(between := Between(stage.url)) as url:
        report = await examined(
            stage, url, offline=True, ZALO_API_URL=f"{url}/zalo", MESSENGER_GRAPH_URL=f"{url}/graph"
        )
    assert between.passed == []
    assert not {"address", "outside"} & {each["area"] for each in report.data["findings"]}


async def test_whatever_breaks_is_a_finding_and_the_rest_is_told(stage: Stage, tmp_path: Path) -> None:
    broken = tmp_path / "no.db"
    broken.write_text("this is no database, however long one looks at it" * 100)
    report = await examined(stage, stage.url, DATABASE_URL=f"sqlite:///{broken}")
    assert "is not a SQLite database" in " ".join(told(report, "database"))
    assert len(told(report, "address", "ok")) == 5
    no_key = await examined(stage, stage.url, SECRET_KEY="")
    assert "SECRET_KEY is missing" in told(no_key, "settings")[0]


# --- events that are turned off ---------------------------------------------------------------------------------------


async def talk(stage: Stage, channel: str) -> None:
    """Several people ask and are answered, and the minutes pass in which events about that may come."""
    for who in ("lan", "minh", "hoa", "an"):
        await stage.said(channel, who=who)
    stage.clock.pass_by(minutes=11)


@pytest.mark.parametrize(("channel", "name"), [(ZALO, "the OA sends a message"), (MESSENGER, "message_echoes")])
async def test_an_event_that_never_came_although_messages_went_out_is_turned_off(
    database_url: str, clock: Clock, channel: str, name: str
) -> None:
    async with playing(database_url, clock, receipts=False, echoes=False) as stage:
        await talk(stage, channel)
        said = told(await examined(stage, stage.url), "events")
        assert len(said) == 1 and name in said[0] and "talks over them" in said[0]
        for _ in range(2):
            await stage.tick("events.watch")
        rung = [alarm for alarm in await stage.read(alarms.unsolved) if alarm.kind == "event_off"]
        assert len(rung) == 1 and name in rung[0].words
        await stage.taken(speech.staff_says(stage.platform, stage.contact(channel), "Mình đây ạ").delivery)
        await stage.quiet()
        await stage.tick("events.watch")
        assert "event_off" not in [alarm.kind for alarm in await stage.read(alarms.unsolved)]
        assert told(await examined(stage, stage.url), "events") == []


async def test_events_that_come_are_not_missed(stage: Stage) -> None:
    await talk(stage, ZALO)
    await talk(stage, MESSENGER)
    report = await examined(stage, stage.url)
    assert told(report, "events", "mend", "note") == []
