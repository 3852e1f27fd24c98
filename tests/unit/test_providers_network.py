"""Users' addresses lead only where they may: checked on the address that is connected to."""

from __future__ import annotations

import socket

import httpx2
import pytest

from tandem.calendaring.provider import Credentials, Refused
from tandem.providers import PROVIDERS, network
from tandem.providers.http import transport_error


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str):
    with pytest.raises(network.ForbiddenAddress):
        network.public_only(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1"])
def test_addresses_outside_are_fine(address: str):
    network.public_only(address)


def test_a_name_that_points_inside_is_refused_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch):
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    provider = PROVIDERS["caldav"](
        Credentials("https://calendar.example.org", "alice", "secret"), endpoint="", allow_private_network=False
    )
    with pytest.raises(Refused, match=r"calendar\.example\.org is in a private network"):
        provider.discover()


def test_one_address_inside_among_others_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch):
    both = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    with httpx2.Client(transport=network.transport(network.public_only)) as client, pytest.raises(httpx2.ConnectError):
        client.get("http://calendar.example.org/")


def test_a_certificate_that_is_not_valid_is_named():
    error = httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    assert "certificate that is not valid" in transport_error(error, "GET", "x.example").words
