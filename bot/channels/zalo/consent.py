"""The consent of an OA's admin: the page to send them to, and what their browser brings back.

https://docs.zaloplatforms.com/docs/OA/xac-thuc-va-uy-quyen: OAuth v4 with PKCE; the `/oa/` in the path matters.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from bot.channels.base import Consent
from bot.channels.text import clean
from bot.channels.zalo.envelope import identifier

_LONGEST = 4096
_NAME = re.compile(r"[0-9A-Za-z_.-]{1,40}")


def challenge_of(verifier: str) -> str:
    """What Zalo is shown of a verifier: base64url of its SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def address(oauth: str, app_id: str, callback: str, verifier: str, state: str) -> str:
    """The consent page. `callback` must be the address that is saved for the app, letter by letter."""
    query = {"app_id": app_id, "redirect_uri": callback, "code_challenge": challenge_of(verifier), "state": state}
    return f"{oauth.rstrip('/')}/v4/oa/permission?{urlencode(query)}"


def read(query: Mapping[str, str]) -> Consent:
    """The callback's query; whatever has no sensible form counts as missing."""
    error = clean(query.get("error")) or clean(query.get("error_name"))
    return Consent(
        state=_short(query.get("state")),
        code=_short(query.get("code")),
        account_id=identifier(query.get("oa_id")),
        error=error if _NAME.fullmatch(error) else "error" if error else "",
    )


def _short(value: object) -> str:
    text = clean(value)
    return text if len(text) <= _LONGEST else ""
