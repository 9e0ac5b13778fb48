"""The simulator's page is true: it names every address with a source, and the limits that the code has."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from simulator import (
    graph_api,
    graph_messages,
    graph_page,
    graph_threads,
    tokens,
    zalo_api,
    zalo_business,
    zalo_messages,
    zalo_uploads,
    zalo_users,
)
from simulator.app import create_app
from simulator.config import SimulatorConfig
from simulator.faults import CALL_FAULTS, HOSTS, WEBHOOK_FAULTS

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "simulator.md").read_text("utf-8")
TOLD = set(re.findall(r"`(GET|POST|DELETE|\*) (/[^`?\s]*)", PAGE))
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MEGABYTE = 1024 * 1024

LIMITS = {
    "2,000 characters, more is": zalo_messages.TEXT_LIMIT == 2000,
    "5; title 100, payload 1,000": (
        zalo_messages.BUTTON_LIMIT,
        zalo_messages.TITLE_LIMIT,
        zalo_messages.PAYLOAD_LIMIT,
    )
    == (5, 100, 1000),
    "form title 100, line 500; list 5 elements": (zalo_messages.SUBTITLE_LIMIT, zalo_messages.ELEMENT_LIMIT)
    == (500, 5),
    "below 2,000, more is `100`": graph_messages.TEXT_BELOW == 2000,
    "13 quick replies; title 20, payload 1,000": (
        graph_messages.QUICK_REPLIES,
        graph_messages.TITLE,
        graph_messages.PAYLOAD,
    )
    == (13, 20, 1000),
    "10 cards; title and line 80; button text 640": (
        graph_messages.ELEMENTS,
        graph_messages.CARD_TEXT,
        graph_messages.BUTTON_TEXT,
    )
    == (10, 80, 640),
    "below 1,000 characters, comes back": graph_messages.METADATA_BELOW == 1000,
    "jpg, png up to 1 MB": zalo_uploads.IMAGE_BYTES == MEGABYTE,
    "csv up to 5 MB; kept for 7 days": (zalo_uploads.FILE_BYTES, zalo_uploads.ASSET_LIFE) == (5 * MEGABYTE, 7 * DAY),
    "`count` to 50, `offset` to 9,951": (zalo_users.LIST_COUNT, zalo_users.LIST_OFFSET) == (50, 9951),
    "newest first, at most 10 a call": zalo_users.CHAT_COUNT == 10,
    "`tracking_id` to 48 characters": zalo_business.TRACKING_LIMIT == 48,
    "Zalo, up to 48 h after": zalo_api.FREE == 48 * HOUR,
    "Zalo, 48 h to 7 days": zalo_api.WINDOW == 7 * DAY,
    "Messenger, up to 24 h after": graph_api.STANDARD == DAY,
    "Messenger, up to 7 days": graph_api.EXTENDED == 7 * DAY,
    "keeps a medium for 90 days": graph_api.ATTACHMENT_LIFE == 90 * DAY,
    "the last 20 messages can be read": graph_threads.READABLE == 20,
    "menu (20 items of 30 characters)": (graph_page.MENU_ITEMS, graph_page.MENU_TITLE) == (20, 30),
    "25 h; a new one kills the former": tokens.ACCESS_LIFE == 25 * HOUR,
    "90 days, single use": tokens.REFRESH_LIFE == 90 * DAY,
    "a code lives 10 minutes": tokens.CODE_LIFE == 10 * MINUTE,
    "the 4,000 of an app": zalo_api.APP_PER_MINUTE == 4000,
}


def served() -> set[tuple[str, str]]:
    """Every address of the simulator, as it is written in its page."""
    routes = create_app(SimulatorConfig()).router.routes()
    return {(route.method, route.resource.canonical) for route in routes if route.resource and route.method != "HEAD"}


def test_every_address_is_in_the_page_and_no_other() -> None:
    assert served() == TOLD


def test_every_row_of_a_platforms_address_names_its_source() -> None:
    rows = re.findall(r"^\| `(?:GET|POST|DELETE|\*) /(?:zalo|graph).*$", PAGE, re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if not re.search(r"\b(Zalo|Meta|seen|guess)\b[^|]*\|$", row)] == []


@pytest.mark.parametrize("words", LIMITS)
def test_a_limit_is_what_the_page_says(words: str) -> None:
    assert LIMITS[words]
    assert words in PAGE


def test_every_fault_and_host_of_the_script_is_in_the_page() -> None:
    assert [name for name in (*CALL_FAULTS, *WEBHOOK_FAULTS, *HOSTS) if f"`{name}`" not in PAGE] == []
