"""`python -m sandbox.radicale_child --config FILE`: Radicale, for as long as its parent lives.

Standard input is a pipe whose other end only the parent holds. When it closes, the parent is gone,
whatever ended it, and this process goes too. No signal and no parent id could promise that everywhere.
"""

from __future__ import annotations

import os
import threading

from radicale.__main__ import run


def _leave_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    run()
