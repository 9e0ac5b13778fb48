"""Who calls: the address behind the proxies that we trust."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = Sequence[IPv4Network | IPv6Network]


def address_of(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """The last address of `X-Forwarded-For` that no trusted proxy has, where the peer is one; else the peer.

    What stands before it in the header was written by the caller and proves nothing.
    """
    for hop in (peer, *reversed([part.strip() for part in forwarded_for.split(",")])):
        if hop and not _is_among(hop, trusted):
            return hop
    return peer


def _is_among(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
