"""The demo as a process of its own, in a folder of its own, spoken to over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import randint
from typing import Any

MAIN = Path(__file__).parents[1] / "main.py"
BYTECODE = Path(sys.prefix) / "bytecode"
"""Where what Python compiled is kept for the next start, which takes three times as long without."""
STOPS_WITHIN_S = 10
PATIENCE_S = 20.0
GLANCE_S = 0.05


def environment(**settings: str) -> dict[str, str]:
    """What a command finds in its environment: these settings and nothing of ours."""
    return {"PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": str(BYTECODE), "PYTHONUTF8": "1", **settings}


@dataclass(slots=True)
class Demo:
    """A running demo; `told` is what it printed."""

    process: subprocess.Popen[str]
    told: dict[str, Any]

    def get(self, address: str, **headers: str) -> Any:
        """The JSON behind an address of the chat page or, with `headers`, of the API."""
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def says(self, person: str, **what: object) -> list[str]:
        """Speak as a person on Zalo; what they heard since then, once something came."""
        before = len(self.heard(person))
        body = json.dumps({"channel": "zalo", "person": person, **what}).encode()
        request = urllib.request.Request(
            f"{self.told['page']}/api/say", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["status"] == 200
        end = time.monotonic() + PATIENCE_S
        while len(heard := self.heard(person)) == before:
            assert time.monotonic() < end, f"nothing was answered to {what}"
            time.sleep(GLANCE_S)
        return heard[before:]

    def heard(self, person: str) -> list[str]:
        """Everything the brand said to this person on Zalo."""
        lines = self.get(f"{self.told['page']}/api/chat?channel=zalo&person={person}")["lines"]
        return [line["text"] for line in lines if line["side"] == "bot"]

    def stop(self) -> int:
        """Press Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOPS_WITHIN_S)


@contextmanager
def playing(folder: Path, *, port: int = 0, page_port: int = 0) -> Iterator[Demo]:
    """The demo with its data in this folder, ready; on ports of its own choice where none are given."""
    port = port or randint(20_000, 29_999)
    page_port = page_port or randint(30_000, 32_000)
    command = [sys.executable, str(MAIN), "demo", "--json", "--port", str(port), "--page-port", str(page_port)]
    with (
        (folder / "errors.txt").open("w") as errors,
        subprocess.Popen(
            command, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder / "errors.txt").read_text()
            yield Demo(process, json.loads(line))
        finally:
            process.kill()
