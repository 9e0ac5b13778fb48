"""Named points in the way of a message where trials make the process die, raise or pause."""

from __future__ import annotations

import os
import signal
import time

_armed: dict[str, str] = {}


class Injected(RuntimeError):
    """Raised at a point that was armed with `raise`."""


def arm(spec: str) -> None:
    """Arm points by `name:kill`, `name:raise` or `name:sleep`, separated by commas; "" disarms all."""
    _armed.clear()
    for part in filter(None, spec.split(",")):
        name, _, action = part.rpartition(":")
        _armed[name] = action


def faultpoint(name: str) -> None:
    """Does nothing unless this point is armed. `kill` is `kill -9` of our own process."""
    if not _armed:
        return
    action = _armed.pop(name, "")
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        raise Injected(name)
    if action == "sleep":
        time.sleep(1)
