"""`python -m sandbox`: Tandem with its sample team, a mail sink, and a calendar server or a stand-in for Google."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from sandbox.behind import Behind, on_google, on_radicale
from sandbox.caldav_upload import UploadFailed
from sandbox.kept import CannotRun
from sandbox.mail_sink import MailSink
from sandbox.team import TEAM
from tandem import boot
from tandem.calendaring.provider import ProviderError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Tandem with its sample team.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--google", action="store_true", help="a stand-in for Google instead of a Radicale")
    options = parser.parse_args()
    data = Path(os.environ.get("TANDEM_DATA", "data")).resolve()
    address = os.environ.setdefault("PUBLIC_URL", f"http://127.0.0.1:{options.port}").rstrip("/")
    try:
        with (
            boot.alone(data),
            boot.stopped_by_signals(),
            on_google(data, address) if options.google else on_radicale(data) as behind,
        ):
            run(data, behind, options.host, options.port)
    except (boot.CannotServe, CannotRun, UploadFailed) as problem:
        _leave(str(problem))
    except ProviderError as problem:
        _leave(f"The sample's accounts could not be connected: {problem.words}")
    except (KeyboardInterrupt, SystemExit):
        pass


def run(data: Path, behind: Behind, host: str, port: int) -> None:
    """Serve with everything around it, until told to stop. What is started here is stopped here."""
    sink = MailSink(data / "mail")
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tandem.settings",
        "TANDEM_DATA": str(data),
        "TANDEM_ALLOW_PRIVATE_NETWORK": "1",
        "TANDEM_MAIL_SINK": str(data / "mail"),
        "SMTP_URL": sink.url,
        "MAIL_FROM": "tandem@northwind.example",
        **behind.environment,
    }
    with sink:
        boot.prepare()
        from sandbox import sample  # its models exist only after prepare

        try:
            sample.load(behind, data / "sample.done", now=datetime.now(UTC))
        except sample.NotASample as foreign:
            raise boot.CannotServe(
                f"The data in {data} are not the sample's. Start them with ./start --clean --data {data}, "
                "or the sample in another folder: ./start --data DIR"
            ) from foreign
        boot.serve(host, port, ready=lambda address: print(_welcome(address, behind), flush=True))


def _welcome(address: str, behind: Behind) -> str:
    from django.urls import reverse

    from tandem.team import links
    from tandem.team.models import User

    lines = ["", f"Tandem is at {address}", "", "Sign in, once with each link:"]
    for mate in TEAM:
        user = User.objects.filter(email=mate.email, is_active=True).first()
        if user is not None:
            path = reverse("sign-in-link", args=[links.create(user, now=datetime.now(UTC))])
            lines.append(f"  {mate.name + ', ' + user.get_role_display().lower():<28} {address}{path}")
    lines += ["", *behind.words, ""]
    lines += [f"Mail that Tandem sends goes no further than {address}{reverse('mail')}"]
    lines += ["Stop with Ctrl C. Everything is kept for the next start.", ""]
    return "\n".join(lines)


def _leave(words: str) -> None:
    print(words, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
