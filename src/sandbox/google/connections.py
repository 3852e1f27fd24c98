"""Third-party connections: what each account allowed to which application, and a button that takes it back."""

from __future__ import annotations

from sandbox.google import pages
from sandbox.google.http import Request, Response, html, redirect
from sandbox.google.oauth import OAuth
from sandbox.google.store import Store

PATH = "/connections"


class Connections:
    """Google has this page at https://myaccount.google.com/connections."""

    def __init__(self, store: Store, oauth: OAuth) -> None:
        self._store = store
        self._oauth = oauth

    def answer(self, request: Request) -> Response:
        """GET lists live grants, POST takes back all of `user` for `client`."""
        if request.method == "POST":
            sent = {name: found[-1] for name, found in request.form.items()}
            self._oauth.withdraw(sent.get("user", ""), sent.get("client", ""))
            return redirect(PATH)
        live = dict.fromkeys((each.user, each.client) for each in self._oauth.grants.values() if not each.ended)
        rows = [self._row(user, client) for user, client in live]
        return html(pages.page("Third-party connections", *(rows or [pages.text("No application has access.")])))

    def _row(self, user: str, client: str) -> str:
        name, application = self._store.users[user].name, self._oauth.clients[client].name
        return pages.form(
            PATH,
            pages.text(f"{application} has access to the calendars of {name} ({user})."),
            pages.hidden((("user", user), ("client", client))),
            pages.button(f"Remove access of {application} to {user}", "do", "remove"),
        )
