"""./sandbox google: the environment, then the stand-in for Google, alone on a port of this machine."""

from __future__ import annotations

import os
import sys

from scripts import environment
from scripts.environment import ROOT


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] != ["google"]:
        print("Which one? ./sandbox google [--port P]", file=sys.stderr)
        sys.exit(2)
    try:
        # The list with google-api-python-client, whose document decides what is valid.
        python = environment.ensure("google")
    except environment.CannotInstall as problem:
        sys.exit(str(problem))
    surroundings = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    os.execve(str(python), [str(python), "-m", "sandbox.google", *arguments[1:]], surroundings)


if __name__ == "__main__":
    main()
