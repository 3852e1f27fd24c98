"""The lists of packages: what is tested is what is installed, and nobody is named."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTS = ("runtime", "sandbox", "google", "dev", "bench")


def text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", text(name), re.MULTILINE))


@pytest.mark.parametrize(("inner", "outer"), list(itertools.pairwise(LISTS)))
def test_each_list_holds_the_one_below_with_the_same_versions(inner: str, outer: str) -> None:
    assert {name: pins(outer).get(name) for name in pins(inner)} == pins(inner)


@pytest.mark.parametrize("name", LISTS)
def test_every_package_has_its_hashes_and_no_index_is_named(name: str) -> None:
    assert "://" not in text(name)
    assert "--index" not in text(name)
    entries = re.split(r"\n(?=[a-z])", text(name).strip())
    assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []
