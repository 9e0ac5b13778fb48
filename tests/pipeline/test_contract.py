"""The contract with the outside, kept against a program that knows nothing else of the product."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline import outsider

COMMAND = Path(sys.executable).with_name("khachquen")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the foreign program saw."""
    command = [sys.executable, str(outsider.__file__), str(COMMAND), str(tmp_path_factory.mktemp("outside")), "5"]
    done = subprocess.run(command, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_webhook_is_answered_200(seen: dict[str, Any]) -> None:
    assert seen["posted"] == 3 * 2 * outsider.PEOPLE * outsider.LINES
    assert seen["statuses"] == [200]


@pytest.mark.parametrize("channel", ["zalo", "messenger"])
def test_each_event_is_answered_once_and_each_person_in_order(seen: dict[str, Any], channel: str) -> None:
    heard: dict[str, list[str]] = defaultdict(list)
    for person, words in seen[channel]:
        heard[person].append(words)
    assert len(heard) == outsider.PEOPLE
    for answers in heard.values():
        assert len(answers) == outsider.LINES
        assert all(f"DH{number:05}" in words for number, words in enumerate(answers)), answers


def test_the_send_calls_carry_the_tokens_of_the_settings(seen: dict[str, Any]) -> None:
    assert seen["strange"] == []


def test_the_commands_and_probes_do_what_they_promise(seen: dict[str, Any]) -> None:
    assert (seen["migrate"], seen["exit"]) == (0, 0)
    assert (seen["handshake"], seen["alive"]) == ("4711", 200)
    assert seen["seconds_to_end"] < 10
