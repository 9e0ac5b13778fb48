"""Whether the platforms reach us through PUBLIC_URL, and we them: tried by real requests, told in plain words."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from bot import knock
from bot.caller import Answer, Barrier, Caller, Unreached
from bot.channels.base import Channel, Keys
from bot.channels.examined import Examined, Probe
from bot.commands.finding import MEND, NOTE, OK, Finding
from bot.settings import Settings

_SLOW_S = 1.5
_APART = timedelta(seconds=30)
_SERVER = "Whoever runs the server"
_DNS = "Whoever manages the domain"

_BARRIERS = {
    Barrier.ADDRESS: ("is no address that can be called", f"{_SERVER} sets PUBLIC_URL to https:// and the domain."),
    Barrier.NAME: (
        "has a name that leads nowhere (DNS)",
        f"{_DNS} adds an A record that points to this server, or mends PUBLIC_URL.",
    ),
    Barrier.CERTIFICATE: (
        "has a certificate that is not valid for it",
        f"{_SERVER} sees in the log of Caddy or nginx why there is no good one; the platforms refuse any other.",
    ),
    Barrier.ENCRYPTION: (
        "does not speak TLS",
        f"{_SERVER} lets Caddy or nginx answer HTTPS there; port 443 must lead to it.",
    ),
    Barrier.CONNECTION: (
        "takes no connection",
        f"{_SERVER} sees that Caddy or nginx runs there and that the firewall lets port 443 in.",
    ),
    Barrier.TIME: (
        "does not answer in time",
        f"{_SERVER} lets port 443 through the firewall and to the service; behind a router that does not lead calls "
        "from inside back in, try https://…/healthz from a phone.",
    ),
    Barrier.BROKEN_OFF: ("breaks off without an answer", f"{_SERVER} sees in the log of Caddy or nginx why."),
}


async def address(
    settings: Settings, caller: Caller, channels: Mapping[str, Channel], keys: Mapping[str, Keys], now: datetime
) -> list[Finding]:
    """Knock at `/healthz` through PUBLIC_URL and, where we answer ourselves, at every door as its platform does."""
    url = settings.public_url.rstrip("/")
    if not url:
        return []
    probes = {
        name: channel.probes(keys[name], now, secrets.token_hex(8))
        for name, channel in channels.items()
        if isinstance(channel, Examined)
    }
    found = list(_what_it_is(url))
    first, reached = await _first_knock(settings, caller, url, [each for own in probes.values() for each in own])
    if not reached:
        return found + first
    knocks = [_knock(caller, f"{url}/webhooks/{name}", each) for name, own in probes.items() for each in own]
    return found + first + [finding for told in await asyncio.gather(*knocks) for finding in told]


def _what_it_is(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if _is_inside(parts.hostname or ""):
        words = f"PUBLIC_URL ({url}) is an address inside your own network: no platform reaches it from outside."
        yield Finding("address", NOTE, words, "For trying things out that is fine.")
    elif parts.scheme != "https":
        words = f"PUBLIC_URL ({url}) does not begin with https://; the platforms call nothing else."
        yield Finding("address", MEND, words, f"{_SERVER} puts Caddy or nginx before the service and mends PUBLIC_URL.")


def _is_inside(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


async def _first_knock(
    settings: Settings, caller: Caller, url: str, probes: Sequence[Probe]
) -> tuple[list[Finding], bool]:
    """What stands behind the address, and whether it is this service: then the doors are worth a try."""
    nonce, where = secrets.token_hex(16), f"{url}/healthz"
    must = {name: value for probe in probes for name, value in probe.headers.items()}
    also = {name: value for probe in probes for name, value in probe.also.items()}
    sent = {**must, **also, knock.HEADER: knock.asked(settings.secret_key, nonce)}
    try:
        answer = await caller.call("GET", where, {}, sent)
    except Unreached as error:
        return [_unreached(where, error)], False
    said = _object(answer.body)
    if answer.status != 200:
        return [_refused(where, "the question whether it is alive", answer)], False
    if said.get("alive") is not True:
        words = f"{where} is answered by something else than this service."
        return [
            Finding("address", MEND, words, f"{_SERVER} lets {url} lead to the service ({_port(settings)}).")
        ], False
    if said.get("knock") != knock.answered(settings.secret_key, nonce):
        words = f"{where} is answered by a Khách Quen with another SECRET_KEY or version, or a cache or proxy keeps "
        words += f"the header {knock.HEADER} back."
        remedy = f"{_SERVER} restarts the service, and lets {url} lead to it ({_port(settings)}) past any cache."
        return [Finding("address", MEND, words, remedy)], False
    return [*_headers(must, also, said), *_slow(where, answer)], True


def _headers(must: Mapping[str, str], also: Mapping[str, str], said: Mapping[str, Any]) -> Iterator[Finding]:
    arrived = set(said.get("headers") or ())
    for names, state, harm in (
        (must, MEND, "no webhook can be verified without it"),
        (also, NOTE, "nothing breaks, but an honest proxy passes it on"),
    ):
        lost = sorted(name for name in names if name.lower() not in arrived)
        if lost:
            words = f"A proxy before the service drops the header {', '.join(lost)}: {harm}."
            remedy = f"{_SERVER} lets it pass; in nginx names with an underscore need underscores_in_headers on."
            yield Finding("address", state, words, remedy)
    if all(name.lower() in arrived for name in must):
        yield Finding("address", OK, "This service is reached through PUBLIC_URL, with the headers it needs.")


async def _knock(caller: Caller, where: str, probe: Probe) -> list[Finding]:
    """One of the platform's own requests, at its door."""
    try:
        answer = await caller.call(probe.method, where, probe.query, {**probe.headers, **probe.also}, probe.body)
    except Unreached as error:
        return [_unreached(where, error)]
    if answer.status != 200:
        return [_refused(where, probe.what, answer)]
    if probe.answer and answer.body.decode("utf-8", "replace") != probe.answer:
        words = f"{where} answers {probe.what} with something else than it should."
        return [Finding("address", MEND, words, f"{_SERVER} sees which proxy or page answers there.")]
    return [Finding("address", OK, f"{where} takes {probe.what}."), *_slow(where, answer)]


def _unreached(where: str, error: Unreached) -> Finding:
    words, remedy = _BARRIERS[error.barrier]
    detail = f": {error.detail}" if error.detail else ""
    return Finding("address", MEND, f"{where} {words}{detail}.", remedy)


def _refused(where: str, what: str, answer: Answer) -> Finding:
    if 300 <= answer.status < 400:
        target = answer.headers.get("location", "").partition("?")[0][:200]
        words = f"{where} answers {what} with a redirect to {target or 'somewhere'}; the platforms follow none."
        return Finding(
            "address", MEND, words, f"{_SERVER} sets PUBLIC_URL to where it ends, or takes the redirect away."
        )
    remedy = {
        401: f"{_SERVER} takes the password away from this address.",
        403: f"{_SERVER} restarts the service, so that it has the keys of .env; if that does not help, a firewall "
        "refuses the call, or a proxy changes the body: signatures are over the raw bytes.",
        404: f"{_SERVER} lets the proxy pass every path on to the service.",
        405: f"{_SERVER} lets the proxy pass GET and POST on to the service.",
        408: f"{_SERVER} lets the proxy pass bodies on whole.",
        413: f"{_SERVER} lets the proxy take bodies of 4 MB; in nginx: client_max_body_size 4m.",
        429: f"{_SERVER} exempts this address from the proxy's rate limit.",
    }.get(answer.status, f"{_SERVER} sees in the log of Caddy or nginx who says so.")
    if answer.status in (502, 503, 504):
        remedy = f"{_SERVER} starts khachquen serve, and names its port in the proxy."
    return Finding("address", MEND, f"{where} answers {what} with {answer.status}.", remedy)


def _slow(where: str, answer: Answer) -> Iterator[Finding]:
    if answer.seconds > _SLOW_S:
        words = f"{where} took {answer.seconds:.1f} s to answer; Zalo waits 2 s."
        yield Finding("address", NOTE, words, f"{_SERVER} sees what is slow: the proxy, the line, or this computer.")


def _port(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def platforms(places: Mapping[str, str], caller: Caller, clock: Callable[[], datetime]) -> list[Finding]:
    """Whether each platform's own address can be called from here, and whether its clock agrees with ours."""
    told = await asyncio.gather(*(_called(name, url, caller, clock) for name, url in places.items()))
    skews = {name: skew for name, (_, skew) in zip(places, told, strict=True) if skew is not None}
    return [*(finding for finding, _ in told), *_clock(skews)]


async def _called(
    name: str, url: str, caller: Caller, clock: Callable[[], datetime]
) -> tuple[Finding, timedelta | None]:
    """Also by how much the platform's clock is ahead of ours, where it tells the time."""
    host = urlsplit(url).netloc
    try:
        answer = await caller.call("GET", f"{urlsplit(url).scheme}://{host}/", {}, {})
    except Unreached as error:
        words = f"{name} ({host}) {_BARRIERS[error.barrier][0]}{f': {error.detail}' if error.detail else ''}."
        remedy = f"{_SERVER} lets this computer call it: name service, firewall, clock and certificates of the system."
        return Finding("outside", MEND, words, remedy), None
    return Finding("outside", OK, f"{name} ({host}) can be called from here."), _ahead(answer, clock())


def _ahead(answer: Answer, now: datetime) -> timedelta | None:
    theirs = _date(answer)
    return theirs - now if theirs else None


def _date(answer: Answer) -> datetime | None:
    """The platform's time, by the header that a cache may have kept for a while."""
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
        at = at.replace(tzinfo=at.tzinfo or UTC)
        return at + timedelta(seconds=int(answer.headers.get("age", "0")[:6]))
    except (ValueError, TypeError, OverflowError):
        return None


def _clock(skews: Mapping[str, timedelta]) -> Iterator[Finding]:
    """Answers tell whole seconds and take a moment, so only what is far apart counts."""
    for name, skew in skews.items():
        if abs(skew) > _APART:
            side = "behind" if skew > timedelta() else "ahead of"
            words = f"This computer's clock is {int(abs(skew).total_seconds())} s {side} that of {name}."
            yield Finding("clock", MEND, words, f"{_SERVER} turns on time synchronisation (NTP).")
    if skews and all(abs(skew) <= _APART for skew in skews.values()):
        yield Finding("clock", OK, f"This computer's clock agrees with that of {' and '.join(skews)}.")
