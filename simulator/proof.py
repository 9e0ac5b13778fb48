"""The `appsecret_proof` that both platforms may ask for."""

from __future__ import annotations

import hashlib
import hmac


def appsecret_proof(app_secret: str, access_token: str) -> str:
    """Hexadecimal HMAC-SHA256 of the access token, keyed with the app secret."""
    return hmac.new(app_secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()
