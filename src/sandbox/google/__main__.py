"""`python -m sandbox.google --port P`: the sandbox alone, with its sample users, until Ctrl C."""

from __future__ import annotations

import argparse
import sys
import threading

from sandbox.google import sample
from sandbox.google.sandbox import GoogleSandbox
from sandbox.google.validate import DocumentMissing


def main() -> None:
    parser = argparse.ArgumentParser(prog="./sandbox google", description="A strict stand-in for Google Calendar.")
    parser.add_argument("--port", type=int, default=8900, help="port on 127.0.0.1 (default 8900; 0: a free one)")
    parser.add_argument("--seed", type=int, default=1, help="decides ids, tokens and the sizes of pages")
    parser.add_argument("--redirect", action="append", default=[], metavar="URL", help="a redirect URI of the client")
    options = parser.parse_args()
    try:
        run(options.port, options.seed, options.redirect)
    except (DocumentMissing, OSError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        pass


def run(port: int, seed: int, redirects: list[str]) -> None:
    sandbox = GoogleSandbox(seed=seed)
    sample.people(sandbox)
    sample.meetings(sandbox)
    client = sandbox.oauth.add_client("Tandem", *redirects)
    with sandbox.serve(port) as address:
        print(f"Google sandbox at {address}")
        print(f"API root: {address}/calendar/v3/")
        print(f"client id: {client.id}")
        print(f"client secret: {client.secret}")
        for user in sandbox.store.users.values():
            print(f"{user.address.partition('@')[0]} token: {sandbox.token(user.address)}")
        print(f"Requests: {address}/_sandbox/requests   mails that would be sent: {address}/_sandbox/mails", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
