"""Seals what must not lie readable in the database: access and refresh tokens."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class WrongKey(ValueError):
    """Something was sealed with a key that is not among ours."""


class Sealer:
    """Encrypts with the first key, opens with any: put a new key before the old one, separated by a comma."""

    def __init__(self, secret_key: str) -> None:
        self._fernet = MultiFernet([Fernet(_derived(part)) for part in secret_key.split(",") if part])

    def seal(self, text: str) -> str:
        """What may be stored; "" stays ""."""
        return self._fernet.encrypt(text.encode()).decode() if text else ""

    def open(self, sealed: str) -> str:
        """What was sealed; raises WrongKey where the secret key is another."""
        if not sealed:
            return ""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise WrongKey(
                "a stored token cannot be opened: SECRET_KEY differs from the one it was sealed with"
            ) from error


def fingerprint(*parts: str) -> str:
    """A short one-way mark of some secrets, to see whether they changed."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"khachquen:tokens:" + key.encode()).digest())
