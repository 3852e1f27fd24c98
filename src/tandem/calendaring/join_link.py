"""Where to join a meeting: the link of a known service in what people wrote."""

from __future__ import annotations

import re

_MEETING_LINK = re.compile(
    r"https://(?:meet\.google\.com|[\w.-]*zoom\.us/(?:j|my|w|s)|teams\.(?:microsoft|live)\.com/"
    r"|[\w.-]*webex\.com|meet\.jit\.si|whereby\.com|[\w.-]*gotomeet\.me|[\w.-]*bigbluebutton\.[\w.]+)"
    r"[^\s<>\"'()\[\]{}]*",
    re.IGNORECASE,
)


def meeting_link(*texts: str) -> str:
    """The first such link in `texts`, in their order; '' when there is none."""
    for text in texts:
        found = _MEETING_LINK.search(text) if "https://" in text.lower() else None
        if found:
            return found.group().rstrip(".,;:!?")
    return ""
