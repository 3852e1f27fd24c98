"""Google Meet rooms: asked for by a `createRequest`, kept through writes that do not know about them."""

from __future__ import annotations

import random

from sandbox.google.problems import Json, invalid


def apply(version_1: bool, data: Json, old: Json, chance: random.Random) -> None:
    """`conferenceDataVersion=0` ignores the field, in either direction; 1 answers a request with a room."""
    if not version_1:
        data.pop("conferenceData", None)
        if "conferenceData" in old:
            data["conferenceData"] = old["conferenceData"]
        return
    wish = data.get("conferenceData", {}).get("createRequest")
    if not wish or "status" in wish:
        return
    if not wish.get("requestId"):
        raise invalid("Invalid conference create request.")
    letters = "".join(chance.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(10))
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    url = f"https://meet.google.com/{code}"
    data["hangoutLink"] = url
    data["conferenceData"] = {
        "createRequest": {**wish, "status": {"statusCode": "success"}},
        "conferenceId": code,
        "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
        "entryPoints": [{"entryPointType": "video", "uri": url, "label": url.removeprefix("https://")}],
    }
