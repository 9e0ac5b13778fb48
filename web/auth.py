"""Who may use the API: a Bearer key; an address that brings many wrong ones is told to wait.

The waiting protects nobody from guesses, for every key is looked at: a right one opens even beside a till that shares
its address and has a wrong one. Against guesses stands that keys are long.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from math import ceil

from aiohttp import web
from aiohttp.typedefs import Handler

from crm import keys
from web.callers import address_of
from web.keys import CALLER, CLOCK, DATABASE, FIRST_KEY, TRUSTED
from web.problems import Refused

WRONG_PER_MINUTE = 20
ADDRESSES = 10_000
OPEN_PATHS = frozenset({"/api/v1/openapi.json"})

_KEY_NAMES = frozenset({"key", "api_key", "apikey", "token", "access_token"})
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="khachquen"'}


class Throttle:
    """A bucket of wrong keys for each address, refilled evenly; the addresses seen last are remembered."""

    def __init__(self, per_minute: int = WRONG_PER_MINUTE, addresses: int = ADDRESSES) -> None:
        self._per_minute, self._addresses = per_minute, addresses
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Seconds that this address is to wait before its next wrong key; 0 where its bucket has room for one."""
        return max(0.0, 1 - self._left(address, now)) * 60 / self._per_minute

    def count(self, address: str, now: float) -> None:
        """Note a wrong key."""
        self._buckets[address] = (self._left(address, now) - 1, now)
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._addresses:
            self._buckets.popitem(last=False)

    def _left(self, address: str, now: float) -> float:
        left, at = self._buckets.get(address, (float(self._per_minute), now))
        return min(self._per_minute, left + max(0.0, now - at) * self._per_minute / 60)


THROTTLE: web.AppKey[Throttle] = web.AppKey("THROTTLE", Throttle)


@web.middleware
async def require_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request pass that brings a key which stands now; the description of the API is open to all."""
    if request.path in OPEN_PATHS:
        return await handler(request)
    if any(name.lower() in _KEY_NAMES or value.startswith("kq_") for name, value in request.query.items()):
        raise Refused(400, "A key belongs in the Authorization header, never in the address.")
    throttle, now = request.config_dict[THROTTLE], request.config_dict[CLOCK]().timestamp()
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", ()))
    address = address_of(request.remote or "", forwarded_for, request.config_dict[TRUSTED])
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refused(401, "Send your key as `Authorization: Bearer <key>`.", headers=_CHALLENGE)
    if not await _stands(request, key.strip()):
        if wait := throttle.wait(address, now):
            raise Refused(429, "Too many wrong keys from this address.", headers={"Retry-After": str(ceil(wait))})
        throttle.count(address, now)
        raise Refused(401, "This key is not valid.", headers=_CHALLENGE)
    request[CALLER] = f"key:{keys.digest(key.strip())[:16]}"
    return await handler(request)


async def _stands(request: web.Request, key: str) -> bool:
    first = request.config_dict[FIRST_KEY]
    if first and hmac.compare_digest(keys.digest(key), first):
        return True
    return await request.config_dict[DATABASE].read(lambda session: keys.stands(session, key))
