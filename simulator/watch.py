"""The control API's watching half: people, state, journal, transcripts and the live feed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from aiohttp import web

from simulator import speech
from simulator.people import CHANNELS, Contact
from simulator.platform import PLATFORM
from simulator.surface import json_answer

JSON = dict[str, Any]
LONGEST_WAIT_S = 30.0
HEARTBEAT_S = 15.0


async def people(request: web.Request) -> web.StreamResponse:
    """`GET /api/people`: everyone, with their ids on both channels."""
    platform = request.app[PLATFORM]
    everyone = [
        {
            "id": person.id,
            "name": person.name,
            "phone": person.phone,
            "colour": person.colour,
            **{c: _contact_json(platform.people.contacts[c][person.user_id(c)]) for c in CHANNELS},
        }
        for person in platform.people
    ]
    return json_answer(everyone)


def _contact_json(contact: Contact) -> JSON:
    last = contact.last_interaction
    return {
        "user_id": contact.user_id,
        "following": contact.following,
        "blocked": contact.blocked,
        "inbox_owns": contact.inbox_owns,
        "last_interaction": last.isoformat() if last else None,
    }


async def state(request: web.Request) -> web.StreamResponse:
    """`GET /api/state`: how things stand."""
    platform = request.app[PLATFORM]
    config, courier, tokens = platform.config, platform.courier, platform.zalo_tokens
    standing = {
        "brand": config.brand_name,
        "now": platform.now().isoformat(),
        "offset_s": platform.offset.total_seconds(),
        "bot_url": courier.bot_url,
        "bot_is_up": courier.bot_is_up,
        "webhooks": asdict(courier.tally),
        "accepted": platform.calls_seen,
        "refused": platform.refused_seen,
        "last_refused": list(platform.refused)[-20:],
        "faults_waiting": len(platform.faults.calls) + len(platform.faults.webhooks),
        "zalo": {
            "oa_id": config.zalo_oa_id,
            "pairs_issued": tokens.pairs_issued,
            "access_valid": tokens.state(tokens.access, platform.now()) == "valid",
            "sub_quota_left": platform.zalo_sub_quota_left,
        },
        "zalobot": {
            "bot_id": platform.bot.id,
            "asking": platform.bot.asking,
            "waiting": len(platform.bot.updates),
            "webhook": bool(platform.bot.webhook),
        },
        "messenger": {
            "page_id": config.messenger_page_id,
            "fields": sorted(platform.page.fields),
            "menu": [asdict(button) for button in speech.menu(platform)],
        },
    }
    return json_answer(standing)


async def journal(request: web.Request) -> web.StreamResponse:
    """`GET /api/journal?since=N&wait=S`: accepted calls after number N; waits up to S seconds for the first."""
    platform = request.app[PLATFORM]
    try:
        since = int(request.query.get("since", 0))
        wait = min(float(request.query.get("wait", 0)), LONGEST_WAIT_S)
    except ValueError:
        return json_answer({"ok": False, "error": "since, wait: numbers"}, 400)
    calls = await platform.wait_for_calls(since, wait) if wait > 0 else platform.calls_after(since)
    return json_answer([call.as_json() for call in calls])


async def chat(request: web.Request) -> web.StreamResponse:
    """`GET /api/chat?channel=&person=`: the transcript as that person sees it."""
    platform = request.app[PLATFORM]
    contact = None
    if request.query.get("channel") in CHANNELS:
        contact = platform.people.known(request.query["channel"], request.query.get("person", ""))
    if contact is None:
        return json_answer({"ok": False, "error": "channel, person: nobody is meant"}, 404)
    lines = [line.as_json() for line in contact.lines]
    return json_answer({"person": contact.person.id, **_contact_json(contact), "lines": lines})


async def events(request: web.Request) -> web.StreamResponse:
    """`GET /api/events`: server-sent events of everything that changes."""
    platform = request.app[PLATFORM]
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    stream = web.StreamResponse(headers=headers)
    queue = platform.live.watch()
    try:
        await stream.prepare(request)
        await stream.write(b": welcome\n\n")
        text: str | None = ""
        while text is not None:
            try:
                text = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                text = ""
            await stream.write(f"data: {text}\n\n".encode() if text else b": still here\n\n")
    except ConnectionResetError:
        return stream
    finally:
        platform.live.watchers.discard(queue)
    return stream


def routes() -> list[web.RouteDef]:
    """The watching routes."""
    return [
        web.get("/api/people", people),
        web.get("/api/state", state),
        web.get("/api/journal", journal),
        web.get("/api/chat", chat),
        web.get("/api/events", events),
    ]
