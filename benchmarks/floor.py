"""The floor: one REPORT, the same parsing, plain inserts into SQLite. No product, no identity, no linking."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from lxml import etree

from benchmarks.load import listing
from tandem.calendaring import event, ics


def measure(url: str, password: str, folder: Path) -> float:
    """Seconds for reading everything once."""
    started = time.perf_counter()
    answer = etree.fromstring(listing(url, password), etree.XMLParser(huge_tree=True))
    database = sqlite3.connect(folder / "floor.sqlite3")
    database.execute("CREATE TABLE event (raw TEXT, content TEXT)")
    database.execute("CREATE TABLE guest (event INTEGER, address TEXT)")
    rows: list[tuple[str, str]] = []
    guests: list[tuple[int, str]] = []
    for number, data in enumerate(answer.iter("{urn:ietf:params:xml:ns:caldav}calendar-data")):
        raw = data.text or ""
        for read in ics.read(raw, default_zone="UTC"):
            rows.append((raw, event.encode(read)))
            guests.extend((number, address) for address in read.addresses)
    with database:
        database.executemany("INSERT INTO event VALUES (?, ?)", rows)
        database.executemany("INSERT INTO guest VALUES (?, ?)", guests)
    database.close()
    return time.perf_counter() - started
