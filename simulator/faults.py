"""The script of faults: what should go wrong, where, how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CALL_FAULTS = (
    "status",
    "code",
    "slow",
    "hang",
    "half_body",
    "lost_response",
    "token_expired",
    "reset",
    "html_502",
)
WEBHOOK_FAULTS = ("duplicate", "reorder", "delay", "outage")
HOSTS = ("zalo", "zalo-oauth", "zalo-business", "zalo-bot", "graph")


@dataclass(slots=True)
class Fault:
    """One line of the script; `after` matching calls pass first, then `times` of them are hit."""

    fault: str
    host: str = ""
    path: str = ""
    person: str = ""
    channel: str = ""
    times: int = 1
    after: int = 0
    status: int = 500
    code: int = 0
    subcode: int = 0
    message: str = ""
    body: str = ""
    retry_after: str = ""
    seconds: float = 0.0

    def hit(self) -> bool:
        """Whether this matching call is one to spoil; counts it."""
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


def read_fault(line: dict[str, Any]) -> Fault:
    """A fault from its JSON; raises ValueError in words that name the field."""
    name = str(line.get("fault", ""))
    if name not in CALL_FAULTS + WEBHOOK_FAULTS:
        raise ValueError(f"fault: one of {', '.join(CALL_FAULTS + WEBHOOK_FAULTS)}")
    match = line.get("match") or {}
    if not isinstance(match, dict):
        raise ValueError("match: an object")
    if match.get("host", "") not in ("", *HOSTS):
        raise ValueError(f"match.host: one of {', '.join(HOSTS)}")
    body = line.get("body", "")
    return Fault(
        fault=name,
        host=str(match.get("host", "")),
        path=str(match.get("path", "")),
        person=str(match.get("person", "")),
        channel=str(match.get("channel", "")),
        times=int(line.get("times", 1)),
        after=int(line.get("after", 0)),
        status=int(line.get("status", 500)),
        code=int(line.get("code", 0)),
        subcode=int(line.get("subcode", 0)),
        message=str(line.get("message", "")),
        body=body if isinstance(body, str) else str(body),
        retry_after=str(line.get("retry_after", "")),
        seconds=float(line.get("seconds", 0.0)),
    )


class FaultScript:
    """What is still to go wrong, in the order in which it was written."""

    def __init__(self) -> None:
        self.calls: list[Fault] = []
        self.webhooks: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Appends a fault to the side that it concerns."""
        (self.webhooks if fault.fault in WEBHOOK_FAULTS else self.calls).append(fault)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.calls.clear()
        self.webhooks.clear()

    def for_call(self, host: str, path: str, mentions: frozenset[str]) -> Fault | None:
        """The fault that this call meets, if any; `mentions` are the persons that it is about."""
        for fault in self.calls:
            wrong_host = fault.host not in ("", host)
            if wrong_host or fault.path not in path or (fault.person and fault.person not in mentions):
                continue
            return self._hit(self.calls, fault)
        return None

    def for_webhook(self, channel: str) -> Fault | None:
        """The fault that the next webhook meets, if any."""
        for fault in self.webhooks:
            if fault.channel in ("", channel):
                return self._hit(self.webhooks, fault)
        return None

    @staticmethod
    def _hit(side: list[Fault], fault: Fault) -> Fault | None:
        hit = fault.hit()
        if fault.times <= 0:
            side.remove(fault)
        return fault if hit else None
