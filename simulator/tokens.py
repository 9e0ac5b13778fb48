"""Zalo's OA tokens: one living pair, single-use refresh tokens, codes with PKCE."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.config import SimulatorConfig

ACCESS_LIFE = timedelta(hours=25)
REFRESH_LIFE = timedelta(days=90)
CODE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Grant:
    """A code that was handed out and waits to be exchanged."""

    challenge: str
    until: datetime


def challenge_of(verifier: str) -> str:
    """The PKCE challenge of a verifier: base64url of its SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class ZaloTokens:
    """The pair that is valid now; a new access token kills the old one at once."""

    def __init__(self, config: SimulatorConfig, now: datetime) -> None:
        self.access = config.zalo_access_token
        self.refresh = config.zalo_refresh_token
        self.access_until = now + ACCESS_LIFE
        self.refresh_until = now + REFRESH_LIFE
        self.revoked: set[str] = set()
        self.pairs_issued = 0
        self._codes: dict[str, Grant] = {}

    def state(self, token: str, now: datetime) -> str:
        """`valid`, `expired`, `replaced` by a newer one, or `unknown`."""
        if token and token == self.access:
            return "valid" if now < self.access_until else "expired"
        return "replaced" if token in self.revoked else "unknown"

    def expire(self) -> None:
        """The access token dies early."""
        self.access_until = datetime.min.replace(tzinfo=self.access_until.tzinfo)

    def grant(self, challenge: str, now: datetime) -> str:
        """A new code for the callback."""
        code = secrets.token_urlsafe(48)
        self._codes[code] = Grant(challenge, now + CODE_LIFE)
        return code

    def take_code(self, code: str, now: datetime) -> Grant | None:
        """Uses up a code; None when it is unknown, used or too old."""
        grant = self._codes.pop(code, None)
        return grant if grant is not None and now < grant.until else None

    def has_code(self, code: str) -> bool:
        """Whether this code is for this OA and was not used."""
        return code in self._codes

    def may_refresh(self, token: str, now: datetime) -> bool:
        """Whether this refresh token is the living one."""
        return bool(token) and token == self.refresh and now < self.refresh_until

    def issue(self, now: datetime) -> tuple[str, str]:
        """A new pair; the old one is void from now on."""
        self.revoked |= {self.access} - {""}
        self.access = secrets.token_urlsafe(96)
        self.refresh = secrets.token_urlsafe(96)
        self.access_until = now + ACCESS_LIFE
        self.refresh_until = now + REFRESH_LIFE
        self.pairs_issued += 1
        return self.access, self.refresh
