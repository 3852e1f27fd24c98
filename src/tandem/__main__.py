"""`python -m tandem serve | adopt | <any of Django's commands>`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tandem import boot


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tandem", description="Tandem, a CRM whose calendar keeps itself.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("serve", help="run the pages and the sync threads in one process")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    verbs.add_parser("adopt", help="go on with this database in this data folder: writing is no longer held")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tandem.settings")
    try:
        if options.verb == "serve":
            os.environ.setdefault("PUBLIC_URL", f"http://127.0.0.1:{options.port}")
            with boot.alone(Path(os.environ.get("TANDEM_DATA", "data")).resolve()):
                boot.prepare()
                boot.serve(options.host, options.port, ready=_say_ready)
        else:
            boot.prepare()
            _adopt()
    except boot.CannotServe as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)


def _say_ready(address: str) -> None:
    from tandem.team.models import User

    print(f"\nTandem is at {address}")
    if not User.objects.exists():
        print(f"  First make the administrator: {address}/")
    print("  Stop with Ctrl C. Everything is kept for the next start.\n", flush=True)


def _adopt() -> None:
    from django.conf import settings

    from tandem.team import installation

    installation.adopt(settings.DATA)
    print("Writing goes on. The installation has a new id.")


if __name__ == "__main__":
    main()
