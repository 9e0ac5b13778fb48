"""A knock: by it a service knows that its own doctor asks, and the doctor knows that its own service answers."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Khachquen-Knock"
_LONGEST = 200


def asked(secret_key: str, nonce: str) -> str:
    """The header's value; whoever lacks the secret key cannot make one."""
    return f"{nonce}.{_mac(secret_key, 'asked', nonce)}"


def answered(secret_key: str, nonce: str) -> str:
    """What only a service with the same secret key answers to this nonce."""
    return _mac(secret_key, "answered", nonce)


def heard(secret_key: str, header: str) -> str:
    """The answer to a header that a doctor with the same secret key made; "" to everything else."""
    nonce, _, mac = header.partition(".")
    if not nonce or len(header) > _LONGEST or not header.isascii():
        return ""
    return answered(secret_key, nonce) if hmac.compare_digest(mac, _mac(secret_key, "asked", nonce)) else ""


def _mac(secret_key: str, side: str, nonce: str) -> str:
    """Of several keys, the first."""
    key = hashlib.sha256(b"khachquen:knock:" + secret_key.split(",")[0].encode()).digest()
    return hmac.digest(key, f"{side}:{nonce}".encode(), "sha256").hex()
