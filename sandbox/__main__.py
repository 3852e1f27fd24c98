"""`python -m sandbox`: Tandem with its sample team, a calendar server and a mail sink around it."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from sandbox.caldav_upload import UploadFailed
from sandbox.kept import CannotRun
from sandbox.mail_sink import MailSink
from sandbox.radicale import Radicale
from sandbox.team import TEAM
from tandem import boot
from tandem.calendaring.provider import ProviderError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Tandem with its sample team.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    data = Path(os.environ.get("TANDEM_DATA", "data")).resolve()
    try:
        with boot.alone(data), boot.stopped_by_signals():
            run(data, options.host, options.port)
    except (boot.CannotServe, CannotRun, UploadFailed) as problem:
        _leave(str(problem))
    except ProviderError as problem:
        _leave(f"The sample's accounts could not be connected: {problem.words}")
    except (KeyboardInterrupt, SystemExit):
        pass


def run(data: Path, host: str, port: int) -> None:
    """Serve with everything around it, until told to stop. What is started here is stopped here."""
    radicale = Radicale(data / "radicale", [mate.login for mate in TEAM if mate.login])
    sink = MailSink(data / "mail")
    os.environ.setdefault("PUBLIC_URL", f"http://127.0.0.1:{port}")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tandem.settings",
        "TANDEM_DATA": str(data),
        "TANDEM_ALLOW_PRIVATE_NETWORK": "1",
        "TANDEM_MAIL_SINK": str(data / "mail"),
        "SMTP_URL": sink.url,
        "MAIL_FROM": "tandem@northwind.example",
    }
    with radicale, sink:
        boot.prepare()
        from sandbox import sample  # its models exist only after prepare

        try:
            sample.load(radicale, data / "sample.done", now=datetime.now(UTC))
        except sample.NotASample as foreign:
            raise boot.CannotServe(
                f"The data in {data} are not the sample's. Start them with ./start --clean --data {data}, "
                "or the sample in another folder: ./start --data DIR"
            ) from foreign
        boot.serve(host, port, ready=lambda address: print(_welcome(address, radicale), flush=True))


def _welcome(address: str, radicale: Radicale) -> str:
    from django.urls import reverse

    from tandem.team import links
    from tandem.team.models import User

    lines = ["", f"Tandem is at {address}", "", "Sign in, once with each link:"]
    for mate in TEAM:
        user = User.objects.filter(email=mate.email, is_active=True).first()
        if user is not None:
            path = reverse("sign-in-link", args=[links.create(user, now=datetime.now(UTC))])
            lines.append(f"  {mate.name + ', ' + user.get_role_display().lower():<28} {address}{path}")
    lines += ["", f"Any CalDAV program shows the same calendars: {radicale.url}"]
    lines += [f"  user {login:<6} password {password}" for login, password in radicale.passwords.items()]
    lines += ["", f"Mail to guests goes no further than {address}{reverse('mail')}"]
    lines += ["Stop with Ctrl C. Everything is kept for the next ./start.", ""]
    return "\n".join(lines)


def _leave(words: str) -> None:
    print(words, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
