"""Small pages are stored together; what the last one says stays with the last."""

from __future__ import annotations

from tandem.calendaring.provider import Page, RemoteItem
from tandem.sync.reading import gathered


def items(*names: int) -> tuple[RemoteItem, ...]:
    return tuple(RemoteItem(str(name), "", "", ()) for name in names)


def test_small_pages_are_put_together_and_nothing_is_lost() -> None:
    pages = [Page(items(1, 2)), Page(items(3), ("gone",)), Page(items(4, 5)), Page(items(6), cursor="c", complete=True)]
    found = list(gathered(pages, size=3))
    assert [[item.remote_id for item in page.items] for page in found] == [["1", "2", "3"], ["4", "5", "6"]]
    assert [page.removed for page in found] == [("gone",), ()]
    assert [(page.cursor, page.complete) for page in found] == [(None, False), ("c", True)]


def test_a_last_page_of_any_size_is_the_last() -> None:
    (page,) = gathered([Page(items(1, 2, 3), cursor="c")], size=2)
    assert page.cursor == "c"


def test_nothing_read_is_nothing_stored() -> None:
    assert list(gathered([])) == []
