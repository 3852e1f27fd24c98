"""Connecting Google accounts: consent, checks, tokens at rest, refreshing, reconnecting, leaving."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import msgspec
import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from sandbox.google import GoogleSandbox
from sandbox.google.oauth import Client as GoogleClient
from sandbox.google.sample import ALICE, BOB, CHARLIE, people
from tandem.calendaring.provider import ReconnectNeeded, TryLater
from tandem.mailboxes import lease
from tandem.mailboxes.models import Account, AccountState, Calendar, Sender
from tandem.mailboxes.secrets import unseal
from tandem.meetings import verbs
from tandem.providers import network
from tandem.providers.google.oauth import CALENDARS, EVENTS, OAuth, Tokens
from tandem.sync import tokens
from tandem.sync.connect import connect, connected
from tandem.sync.cycle import sync_calendar
from tandem.sync.tokens import AccountBearer, seal_tokens, unseal_tokens
from tandem.team.models import Alias, Company, Role, User
from tests.consent import START, Walk
from tests.mailbox import NOW, meeting

pytestmark = pytest.mark.django_db
BACK = "http://testserver/accounts/google/callback"


@pytest.fixture
def google() -> Iterator[GoogleSandbox]:
    sandbox = GoogleSandbox()
    people(sandbox)
    with sandbox.serve(0):
        yield sandbox
    assert sandbox.api.violations == []


@pytest.fixture
def oauth_client(google: GoogleSandbox, company: Company, settings: Any) -> GoogleClient:
    """The company's OAuth client, given by the environment."""
    client = google.oauth.add_client("Tandem", BACK)
    settings.PUBLIC_URL = "http://testserver"
    settings.GOOGLE_SITE = google.store.site
    settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CLIENT_SECRET = client.id, client.secret
    return client


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def walk(google: GoogleSandbox, oauth_client: GoogleClient, alice: User) -> Walk:
    return Walk(google, browser(alice))


def text(answer: Any) -> str:
    return str(answer.content.decode()).replace("&#x27;", "'")


def words_on_accounts(client: Client) -> str:
    return text(client.get("/accounts")).split('<main class="main"', 1)[1]


def stored(account: Account) -> Tokens:
    account.refresh_from_db()
    return unseal_tokens(account.secret)


def bearer(account: Account) -> AccountBearer:
    return AccountBearer(account.id, timezone.now, lambda seconds: None)


def live_grants(google: GoogleSandbox, address: str = ALICE) -> int:
    return sum(1 for grant in google.oauth.grants.values() if grant.user == address and not grant.ended)


# Connecting


def test_connecting_stores_the_account_under_its_google_address(walk: Walk, alice: User) -> None:
    address = walk.to_google()
    for part in ("access_type=offline", "code_challenge_method=S256", "prompt=select_account+consent", "nonce="):
        assert part in address
    assert "include_granted_scopes" not in address
    answer = walk.client.get(walk.agree(address))
    account = Account.objects.get()
    assert answer.headers["Location"] == f"/accounts/{account.id}/calendars"
    assert (account.owner, account.provider, account.name, account.username) == (alice, "google", ALICE, ALICE)
    assert (account.invitations_by, account.state) == (Sender.SERVER, AccountState.ACTIVE)
    assert account.subject_id == walk.google.store.users[ALICE].subject
    assert account.addresses == {ALICE}
    assert account.url == walk.google.store.site
    assert set(account.calendars.values_list("name", flat=True)) >= {"Client meetings"}
    assert account.calendars.get(remote_id=ALICE).organizer == ALICE
    html = text(walk.client.get(answer.headers["Location"]))
    assert "Which calendars shall Tandem read?" in html
    assert f"Google mails them from {ALICE}" in html


def test_a_connected_account_is_read_and_says_who_mails(walk: Walk) -> None:
    walk.connect()
    calendar = Calendar.objects.get(remote_id=ALICE)
    Calendar.objects.filter(id=calendar.id).update(is_read=True)
    assert sync_calendar(calendar.id, clock=timezone.now)
    calendar.refresh_from_db()
    assert (calendar.error, calendar.last_success_at is not None) == ("", True)
    page = words_on_accounts(walk.client)
    assert "Google mails guests" in page
    assert "Google Calendar" in page


def test_a_second_google_account_is_a_second_account(walk: Walk, alice: User) -> None:
    Alias.objects.create(user=alice, address=CHARLIE)
    walk.connect()
    walk.connect(CHARLIE)
    assert sorted(Account.objects.values_list("name", flat=True)) == sorted([ALICE, CHARLIE])


def test_connecting_an_account_again_doubles_nothing(walk: Walk) -> None:
    walk.connect()
    before = Account.objects.get()
    Calendar.objects.update(is_read=True)
    assert walk.connect().headers["Location"] == "/accounts"
    assert [account.id for account in Account.objects.all()] == [before.id]
    assert stored(before).refresh != unseal_tokens(before.secret).refresh or live_grants(walk.google) == 2


# What Google's page may say


@pytest.mark.parametrize(("left_out", "words"), [(EVENTS, "see and edit your events"), (CALENDARS, "list of your cal")])
def test_a_scope_left_unticked_connects_nothing_and_gives_the_rest_back(walk: Walk, left_out: str, words: str) -> None:
    walk.connect(without=(left_out,))
    assert not Account.objects.exists()
    assert live_grants(walk.google) == 0
    page = words_on_accounts(walk.client)
    assert words in page.split("leave this one ticked", 1)[1].split(".", 1)[0]


def test_a_scope_left_unticked_when_reconnecting_leaves_the_working_access_alone(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    walk.connect(without=(EVENTS,))
    assert bearer(account)("") == stored(account).access
    with connected(account, connect) as provider:
        assert provider.discover().calendars


def test_cancel_on_googles_page_is_said_in_plain_words(walk: Walk) -> None:
    walk.connect(decision="deny")
    assert "Nothing was connected: Google’s page was left with Cancel." in words_on_accounts(walk.client)
    assert "Google’s page was left" not in words_on_accounts(walk.client)


@pytest.mark.parametrize("change", ["state=other", "state=", "state=%C3%A9%00"])
def test_an_answer_with_another_state_is_not_taken(walk: Walk, change: str) -> None:
    back = walk.agree(walk.to_google())
    forged = "&".join(change if part.startswith("state=") else part for part in back.split("?")[1].split("&"))
    walk.client.get(f"{back.split('?')[0]}?{forged}")
    assert "not to a question that was just asked here" in words_on_accounts(walk.client)
    assert not Account.objects.exists()
    # the true answer still counts: a stranger's link spoils nothing
    assert "/calendars" in walk.client.get(back).headers["Location"]


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(walk: Walk, bob: User) -> None:
    back = walk.agree(walk.to_google())
    stranger = browser(bob)
    stranger.get(back)
    assert not Account.objects.exists()
    walk.client.get(back)
    walk.client.get(back)
    assert "not to a question" in words_on_accounts(walk.client)
    assert Account.objects.count() == 1


@pytest.mark.parametrize("query", ["", "?error=access_denied", "?code=x", "?state=x&error=%3Cscript%3E"])
def test_whatever_comes_to_the_callback_is_a_sentence(walk: Walk, query: str) -> None:
    assert walk.client.get(f"/accounts/google/callback{query}").headers["Location"] == "/accounts"
    assert "<script>" not in words_on_accounts(walk.client)


def test_a_code_that_google_does_not_take_is_a_sentence(walk: Walk) -> None:
    back = walk.agree(walk.to_google())
    walk.client.get(back.replace("code=", "code=x"))
    assert "its answer was used already. Connect again." in words_on_accounts(walk.client)
    assert not Account.objects.exists()


def test_a_wrong_secret_names_the_settings(walk: Walk, settings: Any) -> None:
    settings.GOOGLE_CLIENT_SECRET = "GOCSPX-wrong"
    walk.connect()
    assert "its id or its secret is wrong. An administrator" in words_on_accounts(walk.client)


# Whose address it is


def test_an_address_that_is_none_of_the_users_is_shown_letter_by_letter(walk: Walk, alice: User) -> None:
    User.objects.filter(id=alice.id).update(email="alice@northwind.exmaple")
    answer = walk.connect()
    assert answer.headers["Location"] == "/accounts/google/differs"
    assert not Account.objects.exists()
    page = text(walk.client.get("/accounts/google/differs"))
    assert "alice@northwind.exmaple" in page
    assert ALICE in page
    assert 'ex</b><mark class="good">ma</mark><b>ple' in page
    assert "ex</b><mark>am</mark><b>ple" in page
    assert "almost yours" in page
    answer = walk.client.post("/accounts/google/differs", {"connect": "1"})
    account = Account.objects.get()
    assert answer.headers["Location"] == f"/accounts/{account.id}/calendars"
    # said once: reconnecting asks no more
    assert walk.connect(start=f"/accounts/{account.id}/reconnect").headers["Location"] != "/accounts/google/differs"


def test_choosing_another_account_gives_the_first_one_back(walk: Walk) -> None:
    walk.connect(CHARLIE)
    assert "none of yours here" in text(walk.client.get("/accounts/google/differs"))
    walk.connect(ALICE)
    assert [account.name for account in Account.objects.all()] == [ALICE]
    assert live_grants(walk.google, CHARLIE) == 0


def test_leaving_it_connects_nothing_and_gives_it_back(walk: Walk) -> None:
    walk.connect(CHARLIE)
    walk.client.post("/accounts/google/differs", {"leave": "1"})
    assert not Account.objects.exists()
    assert live_grants(walk.google, CHARLIE) == 0
    walk.client.post("/accounts/google/differs", {"connect": "1"})
    assert "too long ago" in words_on_accounts(walk.client)
    assert not Account.objects.exists()


def test_a_colleagues_address_is_refused_by_name(walk: Walk, bob: User) -> None:
    walk.connect(BOB)
    assert f"{BOB} is Bob Lindqvist’s address here" in words_on_accounts(walk.client)
    assert not Account.objects.exists()


def test_a_colleagues_address_is_refused_and_their_own_connection_goes_on(
    walk: Walk, google: GoogleSandbox, bob: User
) -> None:
    Walk(google, browser(bob)).connect(BOB)
    account = Account.objects.get(owner=bob)
    walk.connect(BOB)
    assert bearer(account)(stored(account).access)
    assert Account.objects.filter(owner=bob).count() == Account.objects.count() == 1


# Reconnecting


def refused(account: Account) -> None:
    Account.objects.filter(id=account.id).update(state=AccountState.RECONNECT, error="Refused.")


def test_reconnecting_names_the_account_to_google_and_takes_it_up_again(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    calendar = account.calendars.get(remote_id=ALICE)
    Calendar.objects.filter(id=calendar.id).update(is_read=True, cursor="kept")
    refused(account)
    address = walk.to_google(f"/accounts/{account.id}/reconnect")
    assert "login_hint=alice%40northwind.example" in address
    assert walk.client.get(walk.agree(address)).headers["Location"] == "/accounts"
    account.refresh_from_db()
    calendar.refresh_from_db()
    assert (account.state, account.error) == (AccountState.ACTIVE, "")
    assert calendar.cursor == "kept"
    assert calendar.requested != calendar.done


def test_reconnecting_with_another_account_names_both_and_changes_nothing(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    secret = account.secret
    refused(account)
    walk.connect(CHARLIE, start=f"/accounts/{account.id}/reconnect")
    page = words_on_accounts(walk.client)
    assert f"you chose {CHARLIE} at Google, but this is {ALICE}" in page
    account.refresh_from_db()
    assert (account.state, account.secret) == (AccountState.RECONNECT, secret)
    assert live_grants(walk.google, CHARLIE) == 0


def test_nobody_reconnects_a_colleagues_account(walk: Walk, bob: User) -> None:
    walk.connect()
    account = Account.objects.get()
    assert browser(bob).get(f"{START}?account={account.id}").status_code == 404
    assert browser(bob).get(f"{START}?account=nonsense").status_code == 404


def test_an_access_taken_back_at_google_pauses_the_account_with_words(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    calendar = account.calendars.get(remote_id=ALICE)
    Calendar.objects.filter(id=calendar.id).update(is_read=True)
    walk.google.oauth.withdraw(ALICE)
    assert sync_calendar(calendar.id, clock=timezone.now)
    account.refresh_from_db()
    assert account.state == AccountState.RECONNECT
    page = words_on_accounts(walk.client)
    assert "Google has ended Tandem’s access" in page
    assert f"/accounts/{account.id}/reconnect" in page
    walk.connect(start=f"/accounts/{account.id}/reconnect")
    assert sync_calendar(calendar.id, clock=timezone.now)
    account.refresh_from_db()
    assert account.state == AccountState.ACTIVE


def test_an_edit_made_while_the_access_was_gone_goes_out_once_after_reconnecting(walk: Walk, alice: User) -> None:
    walk.connect()
    account = Account.objects.get()
    calendar = account.calendars.get(remote_id=ALICE)
    Calendar.objects.filter(id=calendar.id).update(is_read=True, is_target=True)
    calendar.refresh_from_db()
    assert sync_calendar(calendar.id, clock=timezone.now)
    walk.google.oauth.withdraw(ALICE)
    now = timezone.now()
    event = meeting("", title="Walkthrough", guests=(CHARLIE,), starts_in=now - NOW + timedelta(days=2))
    made = verbs.schedule(alice, calendar, event, tell=True, record=None, now=now)
    assert sync_calendar(calendar.id, clock=timezone.now)
    assert "1 of your edits waits here" in words_on_accounts(walk.client)
    assert walk.google.mails.rows == []

    walk.connect(start=f"/accounts/{account.id}/reconnect")
    for _ in range(2):
        assert sync_calendar(calendar.id, clock=timezone.now)
    listed = walk.google.call(ALICE, "events.list", calendarId="primary")["items"]
    assert [item["summary"] for item in listed] == ["Walkthrough"]
    assert [mail.to for mail in walk.google.mails.rows] == [CHARLIE]
    page = text(walk.client.get(f"/events/{made.id}/-"))
    assert "Google was asked to send the invitation" in page


# Tokens


class Counting(OAuth):
    """Google's token endpoint, counting what it is asked."""

    refreshed = 0

    def refresh(self, tokens: Tokens) -> Tokens:
        type(self).refreshed += 1
        return super().refresh(tokens)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    monkeypatch.setattr(Counting, "refreshed", 0)
    monkeypatch.setattr(tokens, "OAuth", Counting)
    return Counting


def expired(account: Account) -> Tokens:
    """The access token has run out, here and at Google."""
    return replace_tokens(account, expires_at=timezone.now() - timedelta(seconds=1))


def replace_tokens(account: Account, **values: Any) -> Tokens:
    changed = msgspec.structs.replace(stored(account), **values)
    Account.objects.filter(id=account.id).update(secret=seal_tokens(changed))
    return changed


def test_a_token_that_works_is_used_without_asking_google(walk: Walk, counted: type[Counting]) -> None:
    walk.connect()
    account = Account.objects.get()
    assert bearer(account)("") == stored(account).access
    assert counted.refreshed == 0


def test_a_minute_before_its_end_a_token_is_refreshed_and_saved_first(walk: Walk, counted: type[Counting]) -> None:
    walk.connect()
    account = Account.objects.get()
    old = replace_tokens(account, expires_at=timezone.now() + timedelta(seconds=50))
    fresh = bearer(account)("")
    assert fresh != old.access
    assert (stored(account).access, stored(account).refresh) == (fresh, old.refresh)
    assert counted.refreshed == 1


def test_a_refused_token_is_refreshed_only_where_nobody_did_it_before(walk: Walk, counted: type[Counting]) -> None:
    walk.connect()
    account = Account.objects.get()
    first = stored(account).access
    second = bearer(account)(first)
    assert second != first
    assert bearer(account)(first) == second
    assert counted.refreshed == 1


@pytest.mark.django_db(transaction=True)
def test_two_threads_refresh_an_expired_token_once(walk: Walk, counted: type[Counting]) -> None:
    walk.connect()
    account = Account.objects.get()
    expired(account)
    walk.google.oauth.expire_access()
    got: list[str] = []
    together = threading.Barrier(2)

    def ask() -> None:
        together.wait()
        got.append(AccountBearer(account.id)(""))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert got == [stored(account).access] * 2
    assert counted.refreshed == 1


def test_while_another_refreshes_one_waits_and_takes_what_it_brought(walk: Walk, counted: type[Counting]) -> None:
    walk.connect()
    account = Account.objects.get()
    expired(account)

    def meanwhile(seconds: float) -> None:
        replace_tokens(account, access="brought", expires_at=timezone.now() + timedelta(hours=1))

    with lease.take(f"token:{account.id}", clock=timezone.now):
        assert AccountBearer(account.id, timezone.now, meanwhile)("") == "brought"
    assert counted.refreshed == 0


def test_who_waits_in_vain_is_told_to_try_later(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    expired(account)
    with lease.take(f"token:{account.id}", clock=timezone.now), pytest.raises(TryLater):
        bearer(account)("")


class Losing(httpx2.BaseTransport):
    """Google carries the request out, and its answer is lost."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        with network.transport(None) as inner:
            inner.handle_request(request).read()
        raise httpx2.ReadTimeout("lost", request=request)


def test_a_refresh_whose_answer_is_lost_is_tried_again(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.connect()
    account = Account.objects.get()
    before = expired(account)
    with monkeypatch.context() as patched:
        patched.setattr(tokens, "OAuth", lambda *args, **kept: OAuth(*args, **kept, transport=Losing()))
        with pytest.raises(TryLater):
            bearer(account)("")
    assert stored(account) == before
    assert bearer(account)("") != before.access


@pytest.mark.parametrize("kind", ["500", "503"])
def test_google_in_trouble_means_later(walk: Walk, kind: Any) -> None:
    walk.connect()
    account = Account.objects.get()
    expired(account)
    walk.google.faults.add(kind, "oauth.token")
    with pytest.raises(TryLater):
        bearer(account)("")
    assert bearer(account)("")


def test_a_refresh_that_was_overtaken_by_a_reconnect_saves_nothing(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.connect()
    account = Account.objects.get()
    expired(account)

    class Overtaken(OAuth):
        def refresh(self, tokens: Tokens) -> Tokens:
            fresh = super().refresh(tokens)
            replace_tokens(account, access="new", refresh="new", expires_at=timezone.now() + timedelta(hours=1))
            return fresh

    monkeypatch.setattr(tokens, "OAuth", Overtaken)
    assert bearer(account)("") == "new"
    assert stored(account).refresh == "new"


def test_a_client_that_google_no_longer_knows_is_the_administrators_matter(walk: Walk, settings: Any) -> None:
    walk.connect()
    account = Account.objects.get()
    expired(account)
    settings.GOOGLE_CLIENT_ID = "gone.apps.googleusercontent.com"
    with pytest.raises(TryLater, match="An administrator looks at it"):
        bearer(account)("")
    settings.GOOGLE_CLIENT_ID = settings.GOOGLE_CLIENT_SECRET = ""
    with pytest.raises(TryLater, match="no Google client yet"):
        bearer(account)("")


def test_tokens_that_cannot_be_read_ask_for_a_reconnect(walk: Walk, settings: Any) -> None:
    walk.connect()
    account = Account.objects.get()
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ReconnectNeeded):
        bearer(account)("")
    assert walk.client.get("/accounts").status_code == 200


def test_an_account_of_a_stand_in_is_not_shown_to_the_real_google(walk: Walk, settings: Any) -> None:
    walk.connect()
    account = Account.objects.get()
    settings.GOOGLE_SITE = ""
    with pytest.raises(ReconnectNeeded):
        bearer(account)("")


def everything_stored() -> str:
    """All text in every table, sessions opened."""
    rows = [str(row) for model in apps.get_models() for row in model.objects.values()]
    return "\n".join([*rows, *(str(session.get_decoded()) for session in Session.objects.all())])


def test_tokens_are_nowhere_in_plain_text(walk: Walk, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    walk.connect(CHARLIE)  # waits in the session for a word about its address
    secrets = [*walk.google.oauth.grants, *walk.google.oauth.access]
    assert secrets
    assert not [secret for secret in secrets if secret in everything_stored()]
    walk.client.post("/accounts/google/differs", {"connect": "1"})
    account = Account.objects.get()
    bearer(account)(stored(account).access)
    secrets = [
        *walk.google.oauth.grants,
        *walk.google.oauth.access,
        *(c.secret for c in walk.google.oauth.clients.values()),
    ]
    written = "".join([everything_stored(), caplog.text, *capfd.readouterr()])
    written += "".join(map(repr, (stored(account), account, bearer(account), tokens.oauth_client())))
    assert not [secret for secret in secrets if secret in written]
    assert stored(account).refresh in unseal(account.secret)


def test_a_client_in_testing_has_its_end_on_the_page(walk: Walk) -> None:
    walk.google.behaviour.testing_client = True
    walk.connect()
    account = Account.objects.get()
    ends = tokens.ends_at(account)
    assert ends is not None
    assert timedelta(days=6, hours=23) < ends - timezone.now() <= timedelta(days=7)
    assert "Google ends this access on" in words_on_accounts(walk.client)
    expired(account)
    walk.google.clock.advance(days=8)
    replace_tokens(account, refresh_ends_at=timezone.now() - timedelta(days=1))
    with pytest.raises(ReconnectNeeded, match="7 days"):
        bearer(account)("")


# Leaving


def test_disconnecting_revokes_and_forgets_the_tokens(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    assert "given back to Google" in text(walk.client.get(f"/accounts/{account.id}/disconnect"))
    walk.client.post(f"/accounts/{account.id}/disconnect")
    account.refresh_from_db()
    assert (account.state, account.secret) == (AccountState.DISCONNECTED, "")
    assert live_grants(walk.google) == 0
    with pytest.raises(ReconnectNeeded):
        bearer(account)("")


def test_a_google_that_is_away_keeps_nobody_from_leaving(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.connect()
    account = Account.objects.get()
    monkeypatch.setattr(tokens, "OAuth", lambda *args, **kept: OAuth(*args, **kept, transport=Losing()))
    walk.client.post(f"/accounts/{account.id}/disconnect")
    account.refresh_from_db()
    assert (account.state, account.secret) == (AccountState.DISCONNECTED, "")


def test_an_account_that_two_colleagues_share_stays_the_others(walk: Walk, google: GoogleSandbox, bob: User) -> None:
    for each in (walk, Walk(google, browser(bob))):
        each.connect(CHARLIE)
        each.client.post("/accounts/google/differs", {"connect": "1"})
    mine = Account.objects.get(owner__email=ALICE)
    theirs = Account.objects.get(owner=bob)
    walk.client.post(f"/accounts/{mine.id}/disconnect")
    assert bearer(theirs)(stored(theirs).access)


def test_an_account_that_left_comes_back_as_the_same(walk: Walk) -> None:
    walk.connect()
    account = Account.objects.get()
    walk.client.post(f"/accounts/{account.id}/disconnect")
    assert walk.connect().headers["Location"] == f"/accounts/{account.id}/calendars"
    assert Account.objects.get().state == AccountState.ACTIVE


# The company's OAuth client


@pytest.fixture
def own_settings(google: GoogleSandbox, company: Company, settings: Any) -> GoogleClient:
    """No environment variables: the client is what the settings page keeps."""
    client = google.oauth.add_client("Tandem", BACK)
    settings.PUBLIC_URL, settings.GOOGLE_SITE = "http://testserver", google.store.site
    settings.GOOGLE_CLIENT_ID = settings.GOOGLE_CLIENT_SECRET = ""
    return client


def administrator(user: User) -> Client:
    User.objects.filter(id=user.id).update(role=Role.ADMINISTRATOR)
    return browser(user)


def form(client_id: str, secret: str) -> dict[str, str]:
    return {"google-client_id": client_id, "google-client_secret": secret}


def test_an_administrator_gives_the_client_and_its_secret_is_never_shown(
    own_settings: GoogleClient, google: GoogleSandbox, alice: User
) -> None:
    client = administrator(alice)
    page = text(client.get("/company"))
    assert BACK in page
    assert client.post("/company/google", form(own_settings.id, own_settings.secret)).status_code == 302
    page = text(client.get("/company"))
    assert own_settings.id in page
    assert "Kept, and not shown" in page
    assert own_settings.secret not in page
    assert own_settings.secret not in everything_stored()
    assert Walk(google, client).connect().status_code == 302
    assert Account.objects.exists()
    # saved again without the secret, it stays
    client.post("/company/google", form(own_settings.id, ""))
    assert tokens.oauth_client().secret == own_settings.secret
    client.post("/company/google", form("", ""))
    assert not tokens.has_client()
    assert Company.current().google_client_secret == ""


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (form("my-project", "s"), "ends with .apps.googleusercontent.com"),
        (form("1-a.apps.googleusercontent.com", ""), "Write the secret that belongs to this client ID."),
        (form("", "s"), "Write the client ID that belongs to this secret."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    own_settings: GoogleClient, settings: Any, alice: User, sent: dict[str, str], words: str
) -> None:
    settings.GOOGLE_SITE = ""
    answer = administrator(alice).post("/company/google", sent)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Company.current().google_client_id


def test_environment_variables_rule_and_the_page_has_no_form(
    oauth_client: GoogleClient, settings: Any, alice: User
) -> None:
    client = administrator(alice)
    page = text(client.get("/company"))
    assert "environment variables of this installation" in page
    assert "google-client_secret" not in page
    client.post("/company/google", form("1-a.apps.googleusercontent.com", "s"))
    assert not Company.current().google_client_id
    settings.GOOGLE_CLIENT_SECRET = ""
    assert "Only one of" in text(client.get("/company"))


def test_without_a_client_members_read_whom_to_ask_and_administrators_where_to_go(
    own_settings: GoogleClient, alice: User, bob: User
) -> None:
    administrator(bob)
    page = text(browser(alice).get("/accounts/connect"))
    assert "Ask Bob Lindqvist" in page
    assert START not in page
    assert "/company#google" in text(browser(bob).get("/accounts/connect"))
    alices = browser(alice)
    alices.get(START)
    assert "no Google client yet" in words_on_accounts(alices)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Not tested yet"),
        ({"push_tested_at": timezone.now()}, "Within seconds"),
        ({"push_tested_at": timezone.now(), "push_problem": "Google calls only HTTPS."}, "Google calls only HTTPS."),
    ],
)
def test_how_soon_a_change_arrives_is_said_to_administrators(
    oauth_client: GoogleClient, alice: User, values: dict[str, Any], words: str
) -> None:
    Company.objects.update(**values)
    assert words in text(administrator(alice).get("/company"))


def test_only_administrators_see_and_set_the_client(own_settings: GoogleClient, alice: User) -> None:
    assert browser(alice).get("/company").status_code == 403
    assert browser(alice).post("/company/google", form("x", "y")).status_code == 403


def test_a_read_only_user_connects_nothing(oauth_client: GoogleClient, alice: User) -> None:
    User.objects.filter(id=alice.id).update(role=Role.READ_ONLY)
    client = browser(alice)
    for page in (START, "/accounts/google/callback", "/accounts/google/differs"):
        assert client.get(page).status_code == 403


def test_another_name_of_this_installation_leads_to_its_public_address_first(
    oauth_client: GoogleClient, settings: Any, alice: User
) -> None:
    settings.PUBLIC_URL = "https://crm.northwind.example"
    client = browser(alice)
    there = client.get(START).headers["Location"]
    assert there == f"https://crm.northwind.example{START}?here=1"
    # once only: a proxy may keep the name from us
    assert client.get(f"{START}?here=1").headers["Location"].startswith(settings.GOOGLE_SITE)
