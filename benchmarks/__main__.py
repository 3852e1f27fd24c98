"""First read of a CalDAV calendar: Tandem beside vdirsyncer and the floor. `./bench --help`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sandbox.radicale import Radicale

# The floor's parser lives in a package with settings, keys and all; none of its data is used.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tandem.settings")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./bench", description="A first read from Radicale, beside vdirsyncer.")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--people", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3, help="the middle one of them is shown (default 3)")
    options = parser.parse_args()
    if options.people < 3:
        parser.error("--people: an event has three guests")
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        _measure(Path(name), options.events, options.people, options.rounds)


def _measure(folder: Path, events: int, people: int, rounds: int) -> None:
    from benchmarks import floor, vdirsyncer
    from benchmarks.load import fill, listing

    radicale = Radicale(folder / "radicale", ["alice"])
    print(f"{events:,} events of three guests on Radicale, {people:,} people in the CRM, {rounds} rounds", flush=True)
    fill(radicale, events, people)
    with radicale:
        password = radicale.passwords["alice"]
        print("Radicale reads its own files first (not measured) …", flush=True)
        listing(radicale.url, password)
        floors, peers, again, tandems = [], [], [], []
        for number in range(rounds):
            print(f"  round {number + 1}", flush=True)
            place = folder / f"round-{number}"
            place.mkdir()
            floors.append(floor.measure(radicale.url, password, place))
            first, second = vdirsyncer.measure(radicale.url, password, place, events)
            peers.append(first)
            again.append(second)
            tandems.append(_tandem(radicale.url, password, people, place / "tandem", events))
    _say(statistics.median(floors), statistics.median(peers), statistics.median(again), tandems)


def _tandem(url: str, password: str, people: int, data: Path, events: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.first_read"],
        input=json.dumps({"url": url, "password": password, "people": people}),
        env=os.environ | {"TANDEM_DATA": str(data), "TANDEM_ALLOW_PRIVATE_NETWORK": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    if found["error"] or found["meetings"] != events:
        raise RuntimeError(f"Tandem brought {found['meetings']} of {events} meetings: {found['error']}")
    return found


def _say(floor: float, peer: float, peer_again: float, tandems: list[dict[str, Any]]) -> None:
    tandem = statistics.median(found["seconds"] for found in tandems)
    cpu = statistics.median(found["cpu"] for found in tandems)
    print(f"\n{'':<44}{'seconds':>9}{'x floor':>9}{'x vdirsyncer':>14}")
    for name, seconds in (
        ("floor (one REPORT, parse, insert)", floor),
        ("vdirsyncer, first sync to files", peer),
        ("Tandem, first sync, linked", tandem),
    ):
        print(f"{name:<44}{seconds:>9.2f}{seconds / floor:>9.2f}{seconds / peer:>14.2f}")
    again = statistics.median(found["again"] for found in tandems)
    print(f"\nRead again, nothing changed: Tandem {again * 1000:.0f} ms, vdirsyncer {peer_again * 1000:.0f} ms")
    most = max(found["megabytes"] for found in tandems)
    print(f"Tandem: {tandems[0]['linked']:,} links, {cpu:.2f} s of its own CPU, at most {most:.0f} MB")
    print(f"Tandem takes {tandem / peer:.2f} times as long as vdirsyncer; below 1 it is faster.")


if __name__ == "__main__":
    main()
