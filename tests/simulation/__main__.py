"""`python -m tests.simulation --seed N --steps M [--seeds K]`: replay one run, or try K seeds from N on."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--with", dest="kind", choices=("caldav", "google"), default="caldav", help="the other side")
    parser.add_argument("--seconds", type=float, default=0, help="stop after that long")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    with tempfile.TemporaryDirectory(prefix="tandem-simulation-") as folder:
        os.environ["TANDEM_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tandem.settings")
        sys.exit(_run(options))


def _run(options: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.simulation.run import run
    from tests.simulation.world import Violation

    call_command("migrate", verbosity=0)
    started, done, failed = time.monotonic(), 0, []
    for seed in range(options.seed, options.seed + options.seeds):
        if options.seconds and time.monotonic() - started > options.seconds:
            break
        call_command("flush", interactive=False, verbosity=0)
        done += 1
        try:
            run(seed, options.steps, options.kind)
        except Violation as violation:
            failed.append(seed)
            text = str(violation)
            print(text if options.seeds == 1 else "\n".join(text.splitlines()[-4:]), flush=True)
            if options.seeds == 1 and violation.__cause__ is not None:
                import traceback

                traceback.print_exception(violation.__cause__)
    print(
        f"{done} seeds of {options.steps} steps in {time.monotonic() - started:.0f} s, violations: {failed or 'none'}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    main()
