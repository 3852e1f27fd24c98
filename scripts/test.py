"""./test: the environment, then every check, each by name; the last lines say what failed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts import environment
from scripts.environment import ROOT

BIN = environment.VENV / "bin"
LIVE_TOKEN = "TANDEM_LIVE_GOOGLE"
LIVE_HELP = f"""./test --live google runs the contract suite against your own Google account. It needs an access token:

  {LIVE_TOKEN}=ya29.… ./test --live google

The token needs the scope https://www.googleapis.com/auth/calendar, which is wider than what Tandem asks for: the
tests make calendars of their own, and delete them in the end. One way to a token is Google's OAuth 2.0 Playground
(https://developers.google.com/oauthplayground): enter that scope, authorize, exchange the code, copy the access token.
It works for an hour. Nobody is mailed, and none of your own calendars is written to.
If you have no calendar that you may only read, the account is subscribed to Google's UK holidays.
TANDEM_GOOGLE_SITE=http://127.0.0.1:8900 takes a ./sandbox google in Google's place."""
# The order is that of cost: what fails fast is said first.
CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff check", ("ruff", "check", "--quiet", ".")),
    ("ruff format", ("ruff", "format", "--check", "--quiet", ".")),
    ("imports point down", ("lint-imports",)),
    ("no migration missing", ("python", "manage.py", "makemigrations", "--check", "--dry-run")),
    ("mypy", ("mypy", "--no-error-summary")),
)


def main() -> None:
    options, passed_on = _options()
    if options.live and not os.environ.get(LIVE_TOKEN):
        print(LIVE_HELP, file=sys.stderr)
        sys.exit(2)
    try:
        environment.ensure("dev")
    except environment.CannotInstall as problem:
        sys.exit(str(problem))
    with tempfile.TemporaryDirectory(prefix="tandem-test-") as folder:
        surroundings = _surroundings(Path(folder))
        if options.live:
            sys.exit(_live(passed_on, surroundings))
        failed = [] if options.postgres or passed_on else _run_checks(surroundings)
        if not options.checks:
            tests = _postgres if options.postgres else _pytest
            if tests(passed_on, surroundings, Path(folder)) != 0:
                failed.append("pytest on PostgreSQL" if options.postgres else "pytest")
    if failed:
        sys.exit(f"\nFailed: {', '.join(failed)}")
    print("\nPassed.")


def _options() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="./test",
        description="Run ruff, mypy, import-linter, the migrations' check and pytest. "
        "Anything else on the command line goes to pytest, and then only pytest runs.",
    )
    parser.add_argument(
        "--postgres", action="store_true", help="pytest on PostgreSQL: DATABASE_URL, or one made for it"
    )
    parser.add_argument("--checks", action="store_true", help="everything but pytest")
    parser.add_argument(
        "--live", choices=["google"], help="the contract suite against your own account; without a token it says how"
    )
    return parser.parse_known_args()


def _surroundings(folder: Path) -> dict[str, str]:
    """A data folder of its own, and nothing from the outside that would change what is tested."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TANDEM_") or name == "TANDEM_REQUIRE_BROWSER"
    }
    for name in ("DATABASE_URL", "PUBLIC_URL", "SMTP_URL", "MAIL_FROM"):
        kept.pop(name, None)
    return kept | {
        "TANDEM_DATA": str(folder / "data"),
        "DJANGO_SETTINGS_MODULE": "tandem.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "PATH": os.pathsep.join((str(BIN), kept.get("PATH", ""))),
    }


def _run_checks(surroundings: dict[str, str]) -> list[str]:
    failed = []
    for name, (program, *arguments) in CHECKS:
        started = time.monotonic()
        done = subprocess.run(
            [str(BIN / program), *arguments],
            cwd=ROOT,
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
        )
        verdict = "ok" if done.returncode == 0 else "FAILED"
        environment.say(f"{name:<22} {verdict} ({time.monotonic() - started:.0f} s)")
        if done.returncode != 0:
            environment.say((done.stdout + done.stderr).rstrip())
            failed.append(name)
    return failed


def _pytest(passed_on: list[str], surroundings: dict[str, str], _folder: Path) -> int:
    arguments = passed_on or ["-n", "2", "--dist", "loadscope", "-q"]
    command = [str(BIN / "python"), "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=surroundings, check=False).returncode


def _live(passed_on: list[str], surroundings: dict[str, str]) -> int:
    """The contract suite against a real account, or against a sandbox that runs somewhere."""
    named = {name: os.environ[name] for name in (LIVE_TOKEN, "TANDEM_GOOGLE_SITE") if name in os.environ}
    only = ["-q", "-p", "no:xdist", "tests/contract/test_google.py", "-k", "TestByTheApiAlone"]
    return _pytest([*only, *passed_on], surroundings | named, Path())


def _postgres(passed_on: list[str], surroundings: dict[str, str], folder: Path) -> int:
    """The same tests on the server of DATABASE_URL, or on one that lives as long as they run."""
    if os.environ.get("DATABASE_URL"):
        return _pytest(passed_on, surroundings | {"DATABASE_URL": os.environ["DATABASE_URL"]}, folder)
    environment.say("Starting a PostgreSQL for the tests …")
    server = subprocess.Popen(
        [str(BIN / "python"), "-m", "scripts.postgres", str(folder / "postgres")],
        cwd=ROOT,
        env=surroundings | {"XDG_RUNTIME_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        if not url:
            sys.exit("PostgreSQL did not start. Give one of your own: DATABASE_URL=postgresql://… ./test --postgres")
        return _pytest(passed_on, surroundings | {"DATABASE_URL": url}, folder)
    finally:
        server.stdin.close()
        server.wait(timeout=30)


if __name__ == "__main__":
    main()
