"""The door of Messenger: verifies a Page's webhook body over its raw bytes and splits it into single updates."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.channels import parsed
from bot.channels.base import Keys, Raw, Received, Verdict
from bot.channels.messenger import envelope
from bot.channels.messenger.envelope import Slot, Update
from bot.channels.text import clean

SIGNATURE = "X-Hub-Signature-256"
_LONGEST_KEY = 200
CONSOLE_PAGE = "0"
"""The Page id in bodies that the app dashboard's test button sends."""


def receive(headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> Received:
    """Verify the raw bytes in constant time and split them into updates. Never raises; `now` is not needed here.

    A body that is genuine but not understood, or for a Page that is not ours, is buried: 200, and kept raw.
    """
    if keys.pending:
        return _pending(body)
    if not _is_genuine(headers, body, keys.secret):
        return Received(403, Verdict.BAD_SIGNATURE)
    try:
        found = envelope.slots(parsed.load(body))
    except ValueError:
        return Received(200, Verdict.NOT_UNDERSTOOD, buried=(_buried("", body, keys),))
    if _is_console_test(found) and CONSOLE_PAGE not in keys.account_ids:
        return Received(200, Verdict.CONSOLE_TEST)
    try:
        bodies = [body] if len(found) == 1 else [envelope.wrap(slot) for slot in found]
    except RecursionError:
        return Received(200, Verdict.NOT_UNDERSTOOD, buried=(_buried("", body, keys),))
    return _sorted(found, bodies, keys)


def challenge(query: Mapping[str, str], keys: Keys) -> str | None:
    """The text that answers the GET handshake: the challenge, if the token is ours; None refuses.

    It needs only the verify token, so that the Page can be connected while the app's secret is still missing.
    """
    token = query.get("hub.verify_token", "")
    if not keys.verify_token or query.get("hub.mode") != "subscribe":
        return None
    if not hmac.compare_digest(_bytes(token), _bytes(keys.verify_token)):
        return None
    return query.get("hub.challenge") or None


def dedup_key(update: Update) -> str:
    """What makes an update itself, unique per Page: a redelivery has the same. ValueError where it lacks its id."""
    key = clean(":".join(_KEYS.get(update.name, _by_content)(update)))
    return key if len(key) <= _LONGEST_KEY else f"{clean(update.name)}:sha256:{_sha256(key.encode())}"


def _is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the HMAC-SHA256 of the untouched bytes is the one sent (Meta, "Webhooks", Validating Payloads)."""
    sent = headers.get(SIGNATURE) or headers.get(SIGNATURE.lower()) or ""
    expected = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    return hmac.compare_digest(_bytes(sent), expected.encode())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _pending(body: bytes) -> Received:
    if body.strip() in (b"", b"{}"):
        return Received(200, Verdict.PROBE)
    try:
        found = envelope.slots(parsed.load(body))
    except ValueError:
        return Received(403, Verdict.PENDING)
    return Received(200, Verdict.CONSOLE_TEST) if _is_console_test(found) else Received(403, Verdict.PENDING)


def _is_console_test(found: list[Slot]) -> bool:
    return all(envelope.page_of(slot) == CONSOLE_PAGE for slot in found)


def _sorted(found: list[Slot], bodies: list[bytes], keys: Keys) -> Received:
    raws: list[Raw] = []
    buried: list[Raw] = []
    for slot, body in zip(found, bodies, strict=True):
        try:
            raw = raw_of(body)
        except (ValueError, RecursionError):
            buried.append(_buried(envelope.page_of(slot), body, keys))
        else:
            (raws if raw.account_id in keys.account_ids else buried).append(raw)
    return Received(200, Verdict.ACCEPTED if raws else Verdict.NOT_UNDERSTOOD, tuple(raws), tuple(buried))


def raw_of(body: bytes) -> Raw:
    """A body of one update as the door keeps it; ValueError where that cannot be told."""
    (update,) = envelope.updates(body)
    return Raw(
        account_id=update.page_id,
        thread_key=update.person or "account",
        dedup_key=dedup_key(update),
        occurred_at=update.at,
        body=body,
    )


def _buried(page_id: str, body: bytes, keys: Keys) -> Raw:
    account_id = page_id or min(keys.account_ids, default="")
    return Raw(account_id, "?", f"sha256:{_sha256(body)}", None, body)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _by_content(update: Update) -> tuple[str, ...]:
    content = json.dumps(update.content, sort_keys=True).encode()
    return update.name, update.person, update.stamp, _sha256(content)[:16]


def _message(update: Update) -> tuple[str, ...]:
    return "unsent" if update.content.get("is_deleted") is True else "message", envelope.mid_of(update.content)


def _edit(update: Update) -> tuple[str, ...]:
    return "edit", envelope.mid_of(update.content), str(update.content.get("num_edit", ""))


def _reaction(update: Update) -> tuple[str, ...]:
    what = (str(update.content.get(key, "")) for key in ("action", "emoji"))
    by = "page" if update.outgoing else update.person
    return "reaction", envelope.mid_of(update.content), by, *what, update.stamp


def _postback(update: Update) -> tuple[str, ...]:
    content = update.content
    if content.get("mid"):
        return "postback", envelope.mid_of(content)
    if not update.person:
        return _by_content(update)
    return "postback", update.person, update.stamp, str(content.get("payload") or content.get("title") or "")


def _delivery(update: Update) -> tuple[str, ...]:
    mids = update.content.get("mids")
    watermark = str(update.content.get("watermark", ""))
    return "delivery", update.person, watermark, *map(str, mids if isinstance(mids, list) else ())


def _read(update: Update) -> tuple[str, ...]:
    return "read", update.person, str(update.content.get("watermark", ""))


def _referral(update: Update) -> tuple[str, ...]:
    return "referral", update.person, update.stamp, *(str(update.content.get(key, "")) for key in ("ref", "ad_id"))


def _feed(update: Update) -> tuple[str, ...]:
    comment, verb = envelope.ident(update.content.get("comment_id")), update.content.get("verb")
    return ("feed", comment, str(verb), update.stamp) if comment else _by_content(update)


_KEYS: dict[str, Callable[[Update], tuple[str, ...]]] = {
    "message": _message,
    "message_edit": _edit,
    "reaction": _reaction,
    "postback": _postback,
    "delivery": _delivery,
    "read": _read,
    "referral": _referral,
    "feed": _feed,
}
