"""Which mail addresses are taken in, and in which words the others are refused."""

from __future__ import annotations

import re

from tandem.calendaring.identity import normalise_address

LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+")
# domains of mail services for everybody: they say nothing about a company
FREE_MAIL_DOMAINS = """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com
    aol.com gmx.de gmx.net gmx.com web.de t-online.de proton.me protonmail.com pm.me mail.com fastmail.com zoho.com
    orange.fr free.fr laposte.net libero.it mail.ru yandex.ru qq.com 163.com
"""
FREE_MAIL = frozenset(FREE_MAIL_DOMAINS.split())
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class BadAddress(ValueError):
    """An address that cannot be one; `words` tell the person why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def checked_address(text: str) -> str:
    """`text` as an address in normal form (see `calendaring.identity`). Raises `BadAddress`.

    The local part may be anything that RFC 5321 allows unquoted, and beyond ASCII (RFC 6531).
    """
    address = normalise_address(text)
    local, at, domain = address.rpartition("@")
    if not at:
        raise BadAddress("This address has no @.")
    if not local:
        raise BadAddress("This address has nothing before the @.")
    if not domain:
        raise BadAddress("This address has nothing after the @.")
    if any(character.isspace() for character in address):
        raise BadAddress("This address has a space in it.")
    if "." not in domain:
        raise BadAddress("This address has no ending, such as .com.")
    if not LOCAL.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise BadAddress(f"“{local}” can’t stand before an @.")
    return checked_length(address, domain)


def checked_length(address: str, domain: str) -> str:
    """The second half of `checked_address`: the domain's parts, and the limits of RFC 5321 4.5.3.1."""
    if not all(LABEL.fullmatch(label) for label in domain.split(".")):
        raise BadAddress(f"“{domain}” can’t be a mail domain.")
    if len(address) > 254:
        raise BadAddress("This address is too long: 254 characters are the most.")
    return address


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]
