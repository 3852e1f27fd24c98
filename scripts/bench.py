"""./bench: the environment, then the measurements of benchmarks/."""

from __future__ import annotations

import os
import sys

from scripts import environment
from scripts.environment import ROOT


def main() -> None:
    try:
        python = environment.ensure("bench")
    except environment.CannotInstall as problem:
        sys.exit(str(problem))
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    os.execve(str(python), [str(python), "-m", "benchmarks", *sys.argv[1:]], surroundings)


if __name__ == "__main__":
    main()
