"""Which hosts a user's calendar address may lead us to. Against server-side request forgery.

The check is made where the connection is made, on the very address that is connected to: a name that
resolves to something else a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import typing
from collections.abc import Callable, Iterable
from functools import lru_cache

import httpcore2
import httpx2

Guard = Callable[[str], None]
"""Takes an IP address; raises `ForbiddenAddress` for one that must not be reached."""


class ForbiddenAddress(httpcore2.ConnectError):
    """The host's address lies in a network that users must not reach through us."""


def public_only(address: str) -> None:
    """Refuse loopback, private, link-local, multicast and reserved addresses, also inside IPv6 forms."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None and not inner.is_global:
            raise ForbiddenAddress(address)
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        raise ForbiddenAddress(address)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The authorities that are believed, read once: that takes longer than a whole look at a quiet calendar."""
    return httpx2.create_ssl_context(trust_env=False)


def transport(guard: Guard | None) -> httpx2.BaseTransport:
    """A transport whose connections all pass `guard`. Proxies of the environment are not used."""
    limits = httpx2.Limits(max_connections=10, keepalive_expiry=20)
    made = httpx2.HTTPTransport(verify=_trusted(), trust_env=False, limits=limits)
    if guard is not None:
        pool = made._pool
        made._pool = httpcore2.ConnectionPool(
            ssl_context=_trusted(),
            max_connections=10,
            keepalive_expiry=20,
            network_backend=_GuardedBackend(guard),
        )
        pool.close()
    return made


class _GuardedBackend(httpcore2.SyncBackend):
    """Resolves names itself, asks the guard, and connects to the address that was asked about."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[typing.Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(str(error)) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            self._guard(address)
        last: Exception = httpcore2.ConnectError(host)
        for address in addresses:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[typing.Any] | None = None
    ) -> httpcore2.NetworkStream:
        raise ForbiddenAddress(path)
