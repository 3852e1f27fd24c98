"""Walking through Google's consent page of the sandbox, as a browser would, for a user of Django's test client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
from django.test import Client

from sandbox.google import GoogleSandbox
from sandbox.google.sample import ALICE

START = "/accounts/google/connect"


@dataclass
class Walk:
    """One browser, signed in at Tandem by `client`, and at Google to every account of the sandbox."""

    google: GoogleSandbox
    client: Client

    def to_google(self, start: str = START) -> str:
        """Google's address to which Tandem leads."""
        answer = self.client.get(start)
        while answer.status_code == 302 and answer.headers["Location"].startswith("/"):
            answer = self.client.get(answer.headers["Location"])
        assert answer.status_code == 302, answer.content.decode()
        address = str(answer.headers["Location"])
        assert address.startswith(self.google.store.site)
        return address

    def agree(
        self, address: str, account: str = ALICE, *, without: tuple[str, ...] = (), decision: str = "allow"
    ) -> str:
        """Choose `account`, leave out the scopes in `without`, continue or cancel; Tandem's address with the answer."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
        site = self.google.store.site
        page = httpx2.get(f"{address.split('?')[0]}?{urlencode(query | {'authuser': account})}", trust_env=False)
        assert page.status_code == 200, page.text
        action = re.search(r'action="([^"]+)"', page.text)
        assert action
        offered = re.findall(r'name="granted" value="([^"]+)"', page.text)
        sent = urlencode([*(("granted", scope) for scope in offered if scope not in without), ("decision", decision)])
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = httpx2.post(urljoin(site, unescape(action[1])), content=sent, headers=form, trust_env=False)
        assert answer.status_code == 302
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def connect(self, account: str = ALICE, start: str = START, **choices: Any) -> Any:
        """The whole way; Tandem's answer to what Google's page sent."""
        return self.client.get(self.agree(self.to_google(start), account, **choices))
