"""The composition root, the one place that knows every concrete class; and the command line."""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial

import aiohttp
import uvloop
from aiohttp import web as http

from bot import demo, knock, logs
from bot.accounts import Accounts
from bot.alone import serving
from bot.caller import Caller
from bot.channels.abilities import Consenting
from bot.channels.base import Account, Channel
from bot.channels.messenger.channel import Messenger
from bot.channels.zalo.channel import Zalo
from bot.channels.zalo.client import Urls
from bot.channels.zalobot.channel import ZaloBot
from bot.commands import backup, doctor, move, restore, staff, table, understanding
from bot.commands.arguments import read
from bot.commands.report import NOT_MIGRATED, Outside, Refused, Report, opened
from bot.commands.trouble import words_of
from bot.doorkeeper import Doorkeeper
from bot.grants import Grants
from bot.inbox import Desk
from bot.router import Routes
from bot.secrets import Sealer
from bot.service import Service, apps_of, intervals_of, policy_of, running, sender_of, shop_of
from bot.settings import Settings
from bot.staff.context import Office
from bot.staff.router import Commands
from bot.templates import Templates
from crm import keys, sample_shop
from handlers import ROUTERS, STAFF_ROUTERS
from handlers.webhooks import MAX_BODY, Door
from simulator.app import create_app
from simulator.config import PersonSpec, SimulatorConfig
from simulator.people import COLOURS
from storage import engines, faults, migrate
from web import app as web
from web import connect, vitals
from web import keys as web_keys

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

SWITCH_INTERVAL_S = 0.0005
COLLECT_AFTER = 20_000
"""New objects until the collector looks for circles among them: ours have none, and a look costs every thread."""
STOPPING: http.AppKey[asyncio.Event] = http.AppKey("STOPPING", asyncio.Event)


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def reaching(settings: Settings) -> AsyncIterator[dict[str, Channel]]:
    """Every channel of the product, on one HTTP session that lasts until the block ends."""
    async with calling() as session:
        yield channels_of(settings, session)


@asynccontextmanager
async def calling() -> AsyncIterator[aiohttp.ClientSession]:
    """A session for all calls to the outside."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


def channels_of(settings: Settings, session: aiohttp.ClientSession) -> dict[str, Channel]:
    """Every channel of the product, on one HTTP session."""
    urls = Urls(settings.zalo_api_url, settings.zalo_oauth_url, settings.zalo_business_api_url)
    prove = settings.messenger_app_proof
    zalo = Zalo(session, urls, prove=settings.zalo_app_proof, apart=intervals_of(settings)["zalo"])
    page = Messenger(session, settings.messenger_graph_url, app_id=settings.messenger_app_id, prove=prove)
    return {"zalo": zalo, "messenger": page, "zalobot": ZaloBot(session, settings.zalo_bot_api_url)}


def desk_of(settings: Settings, channels: dict[str, Channel]) -> Desk:
    """What handlers work with."""
    return Desk(
        channels,
        Routes.of(ROUTERS),
        Templates(settings.timezone, shop_of(settings)),
        settings.locale,
        settings.flood_per_minute,
        office_of(settings, channels),
        policy_of(settings),
    )


def office_of(settings: Settings, channels: Mapping[str, Channel]) -> Office:
    """What staff's commands work with."""
    return Office(
        channels, Commands.of(STAFF_ROUTERS), Templates(settings.timezone, shop_of(settings)), settings.locale,
        settings.timezone, policy_of(settings), sender_of(settings, channels), settings.require_secret(),
    )  # fmt: skip


@asynccontextmanager
async def compose(
    settings: Settings, clock: Clock = now, *, doors: bool = True, worker: bool = True
) -> AsyncIterator[tuple[Service, http.Application]]:
    """The whole product with its web application, working until the block ends."""
    async with (
        reaching(settings) as channels,
        running(settings, channels, desk_of(settings, channels), clock, worker=worker) as service,
    ):
        if not doors:
            yield service, application(settings, service, clock)
            return
        keeper = Doorkeeper(service, clock)
        async with keeper.attending():
            yield service, application(settings, service, clock, keeper)


def application(
    settings: Settings, service: Service, clock: Clock, keeper: Doorkeeper | None = None
) -> http.Application:
    """The web application: probes always, webhooks and the API where this process is a door."""
    app = http.Application(client_max_size=MAX_BODY)
    app[STOPPING] = asyncio.Event()
    app[web_keys.DATABASE], app[web_keys.CLOCK] = service.database, clock
    app[web_keys.PICTURES] = service.shelf.picture
    app[web_keys.SENDER] = sender_of(settings, service.channels)
    app[web_keys.HEALTH] = lambda: vitals.read(service, clock, app[STOPPING].is_set)
    app[web_keys.KNOCK] = lambda header: knock.heard(settings.require_secret(), header)
    app[web_keys.SITE] = web_keys.Site(settings.brand_name, settings.zalo_site_verification)
    app[web_keys.TRUSTED], app[web_keys.SECRET] = settings.trusted_proxies, settings.require_secret()
    app[web_keys.FIRST_KEY] = keys.digest(settings.api_key) if settings.api_key else ""
    web.attach(app)
    if keeper is not None:
        freshen = service.accounts.freshen
        app.add_routes(Door(service.database, service.channels, service.keys, freshen, keeper, clock).routes())
        app.add_routes(connect.routes(grants_of(settings, service, clock), service.accounts.reload))
    return app


def grants_of(settings: Settings, service: Service, clock: Clock) -> dict[str, Grants]:
    """The channels whose accounts are connected in a browser."""
    apps, sealer = apps_of(settings), Sealer(settings.require_secret())
    return {
        name: Grants(
            service.database, channel, Account(name, "", "", apps[name].app_id, apps[name].app_secret), sealer, clock
        )
        for name, channel in service.channels.items()
        if isinstance(channel, Consenting)
    }


@asynccontextmanager
async def listening(app: http.Application, host: str, port: int) -> AsyncIterator[None]:
    """The application answers at this address until the block ends."""
    runner = http.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await http.TCPSite(runner, host, port, reuse_address=True).start()
        yield
    finally:
        await runner.cleanup()


async def serve(
    settings: Settings, *, doors: bool = True, worker: bool = True, started: Callable[[], None] | None = None
) -> None:
    """Run until SIGTERM or SIGINT: stop accepting, finish what is in flight, go. `started` is called in between.

    Raises Refused where the database is not ready or has its service already, and where it can be written no more.
    """
    if migrate.is_pending(settings.database_url):
        raise Refused(NOT_MIGRATED)
    with serving(settings.database_url):
        await _serve(settings, doors, worker, started)


async def _serve(settings: Settings, doors: bool, worker: bool, started: Callable[[], None] | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        compose(settings, doors=doors, worker=worker) as (service, app),
        listening(app, settings.host, settings.port),
    ):
        calm_collector()
        log.info("listening", extra={"address": f"http://{settings.host}:{settings.port}"})
        for name in service.pending() if doors else ():
            log.warning("a channel is pending: it lacks a key and keeps nothing", extra={"channel": name})
        if started:
            started()
        died = asyncio.create_task(service.database.died.wait())
        died.add_done_callback(lambda _: stop.set())
        await stop.wait()
        died.cancel()
        app[STOPPING].set()
    if service.database.died.is_set():
        raise Refused("a writer of the database died, so nothing could be kept any more: the log says why; start again")


def calm_collector() -> None:
    """What stands now stands to the end: spare the collector looking at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def simulator_of(settings: Settings, page: str) -> SimulatorConfig:
    """Platforms at the address `page` on which these settings' accounts live, and some of the sample shop's people."""
    played = [
        PersonSpec(
            id=each.nickname,
            name=each.name,
            phone=each.phone,
            colour=COLOURS[each.number % len(COLOURS)],
            zalo_id=each.user_id,
            hours_ago=each.complaint.hours_ago if each.complaint else None,
        )
        for each in sample_shop.REGULARS
        if each.nickname
    ]
    names = {each.name for each in fields(Settings)} & {each.name for each in fields(SimulatorConfig)}
    shared = {name: getattr(settings, name) for name in names if name.startswith(("zalo_", "messenger_"))}
    name = f"{sample_shop.MANAGER} (nhân viên)"
    manager = PersonSpec(id="hoa", name=name, zalo_id=sample_shop.MANAGER_USER_ID, hours_ago=0)
    return SimulatorConfig(
        bot_url=settings.public_url,
        public_url=page,
        brand_name=settings.brand_name,
        **shared,
        people=(*played, PersonSpec(id="an", name="Phùng Thiên An", phone="0987654321"), manager),
    )


async def play(settings: Settings, page_port: int, started: Callable[[], None]) -> None:
    """The demo: the sample shop's bot and, beside it, the platforms with their chat page."""
    add = partial(sample_shop.add, channel="zalo", account_id=settings.zalo_oa_id, policy=policy_of(settings))
    async with opened(settings) as database:
        await database.write(partial(sample_shop.open_shop, zone=settings.timezone, now=now()))
        for regular in sample_shop.REGULARS:
            await database.write(partial(add, regular=regular, now=now()), name="sample_shop.add")
        hire = partial(sample_shop.hire, channel="zalo", account_id=settings.zalo_oa_id, now=now())
        await database.write(partial(hire, secret_key=settings.secret_key), name="sample_shop.hire")
    async with listening(create_app(simulator_of(settings, demo.address(page_port))), settings.host, page_port):
        await serve(settings, started=started)


def run_demo(arguments: argparse.Namespace, given: Settings) -> None:
    """Prepare the demo's own database and ports, and play until Ctrl-C."""
    wanted, wanted_page = arguments.port or demo.PORT, arguments.page_port or demo.PAGE_PORT
    with demo.playing(given.data_dir):
        port = demo.free_port(wanted)
        page_port = demo.free_port(wanted_page, taken=port)
        settings = demo.settings_of(given, port, demo.address(page_port))
        demo.lay_out(settings)
        migrate.upgrade(settings.database_url)
        report = demo.welcome(settings, page_port, wanted, wanted_page)
        uvloop.run(play(settings, page_port, lambda: show(report, arguments.json)))


def run_service(arguments: argparse.Namespace, settings: Settings) -> None:
    """`serve`, and its two halves where PostgreSQL lets them run beside each other."""
    if arguments.command != "serve" and engines.is_sqlite(settings.database_url):
        raise Refused(
            f"khachquen {arguments.command} alone needs PostgreSQL (DATABASE_URL=postgresql+psycopg://…): a SQLite "
            "file has one process; use khachquen serve"
        )
    settings = replace(settings, host=arguments.host or settings.host, port=arguments.port or settings.port)
    uvloop.run(serve(settings, doors=arguments.command != "worker", worker=arguments.command != "web"))


def run_migrate(settings: Settings) -> Report:
    """Bring the database to this version's schema."""
    done = migrate.upgrade(settings.database_url)
    line = f"schema {done.after}" + (f"; a copy of before is {done.copy}" if done.copy else "")
    return Report({"before": done.before, "after": done.after, "copy": str(done.copy) if done.copy else None}, [line])


def understand(*, as_json: bool) -> None:
    """Answer each line of standard input at once."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    for line in understanding.answers(sys.stdin, as_json=as_json):
        print(line, flush=True)


def say(line: str) -> None:
    """Print a line while a command goes on."""
    print(line, flush=True)


async def beside(
    arguments: argparse.Namespace, settings: Settings, clock: Clock = now, tell: Callable[[str], None] = say
) -> Report:
    """Do one command, beside a service that may be running; `tell` is called with what is to be seen before its end."""
    async with opened(settings) as database:
        local = table.LOCAL.get(arguments.command)
        if local is not None:
            return await local(arguments, database, settings, clock())
        async with reaching(settings) as channels:
            if arguments.command == "cmd":
                return await staff.obey(arguments, database, office_of(settings, channels), clock())
            sealer, owner = Sealer(settings.require_secret()), f"{arguments.command}:{os.getpid()}"
            living = Accounts(database, channels, apps_of(settings), sealer, clock, owner)
            outside = Outside(channels, living, clock, tell)
            return await table.REACHING[arguments.command](arguments, database, settings, outside)


async def examined(arguments: argparse.Namespace, settings: Settings, clock: Clock = now) -> Report:
    """What the doctor finds."""
    async with calling() as session:
        return await doctor.run(arguments, settings, channels_of(settings, session), Caller(session), clock)


def show(report: Report, as_json: bool) -> None:
    """Print what a command found."""
    print(json.dumps(report.data, ensure_ascii=False) if as_json else "\n".join(report.lines), flush=True)


def teller(as_json: bool) -> Callable[[str], None]:
    """Shows people at a terminal how far something is, each time on the same line; says nothing to programs."""
    if as_json or not sys.stderr.isatty():
        return lambda _: None
    return lambda words: print(f"\r{words:<40}\r", end="", file=sys.stderr, flush=True)


def run(arguments: argparse.Namespace) -> int:
    """Do one command; returns the exit status."""
    if arguments.command == "understand":
        understand(as_json=arguments.json or arguments.jsonl)
        return 0
    settings = Settings.from_env()
    faults.arm(settings.fault)
    logs.configure(as_json=arguments.json or not sys.stderr.isatty())
    if arguments.command in ("serve", "web", "worker"):
        run_service(arguments, settings)
        return 0
    logging.getLogger().setLevel(logging.ERROR)
    match arguments.command:
        case "demo":
            run_demo(arguments, settings)
            return 0
        case "migrate":
            report = run_migrate(settings)
        case "backup":
            report = backup.run(arguments, settings, now(), teller(arguments.json))
            if not arguments.verify:
                asyncio.run(backup.noted(settings, now()))
        case "restore":
            report = restore.run(arguments, settings, now(), teller(arguments.json))
        case "move":
            report = asyncio.run(move.run(arguments, settings, now(), teller(arguments.json)))
        case "doctor":
            report = asyncio.run(examined(arguments, settings))
        case _:
            report = asyncio.run(beside(arguments, settings))
    show(report, arguments.json)
    return 0 if report.ok else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        return run(read(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        words = words_of(error)
        if words is None:
            raise
        print(f"khachquen: {words}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
