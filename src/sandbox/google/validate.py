"""The published discovery document of the API: what it allows is what the sandbox takes and gives.

The document comes with the package google-api-python-client. Types, enums, formats, required and repeated
parameters are checked; a name it does not know is a fault, on both sides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sandbox.google.problems import Json, bad_parameter, invalid, required

_DOCUMENT = "discovery_cache/documents/calendar.v3.json"
_INT = re.compile(r"-?\d{1,19}")


class DocumentMissing(Exception):
    """Why the sandbox cannot start, as a sentence."""


class Violation(Exception):
    """A value that the schema does not allow. The words say where and why."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API. `id` is without the leading `calendar.`: `events.insert`."""

    id: str
    verb: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, Json]
    request: str
    response: str
    scopes: frozenset[str] = field(default_factory=frozenset)


class Discovery:
    """The document, read once, and the checks that it decides."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._schemas: Json = document["schemas"]
        self._common: Json = document["parameters"]
        self.methods = [
            self._method(method)
            for resource in document["resources"].values()
            for method in resource.get("methods", {}).values()
        ]

    def _method(self, method: Json) -> Method:
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(method["path"]))
        return Method(
            method["id"].removeprefix("calendar."),
            method["httpMethod"],
            re.compile(path),
            method.get("parameters", {}),
            method.get("request", {}).get("$ref", ""),
            method.get("response", {}).get("$ref", ""),
            frozenset(method.get("scopes", ())),
        )

    def parameters(self, method: Method, given: Mapping[str, Sequence[str]]) -> Json:
        """The query's values, typed. Raises `Problem` 400 for what the document does not allow."""
        allowed = {**self._common, **method.parameters}
        typed: Json = {}
        for name, values in given.items():
            if name not in allowed or allowed[name].get("location") == "path":
                raise bad_parameter(f"Unknown parameter: {name}", name)
            rule = allowed[name]
            if not rule.get("repeated") and len(values) > 1:
                raise bad_parameter(f"The parameter {name} may be given once.", name)
            read = [_parameter(name, rule, value) for value in values]
            typed[name] = read if rule.get("repeated") else read[0]
        for name, rule in method.parameters.items():
            if rule.get("required") and rule["location"] == "query" and name not in typed:
                raise required(f"parameter: {name}")
        return typed

    def request(self, method: Method, body: Any) -> Json:
        """The body, checked. Raises `Problem` 400."""
        if not isinstance(body, dict):
            raise invalid("The body must be a JSON object.", reason="parseError")
        try:
            self.check(method.request, body)
        except Violation as fault:
            raise invalid(f"Invalid value: {fault}", reason="badRequest") from fault
        return body

    def check(self, schema: str, value: Any) -> None:
        """Raises `Violation` unless `value` is a `schema`. `null` is allowed where a patch may clear."""
        self._check(self._schemas[schema], value, schema)

    def _check(self, schema: Json, value: Any, where: str) -> None:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema["type"]
        if value is None or kind == "any":
            return
        if kind == "object":
            self._check_object(schema, value, where)
        elif kind == "array":
            if not isinstance(value, list):
                raise Violation(f"{where} is no list")
            for item in value:
                self._check(schema["items"], item, f"{where}[]")
        else:
            _check_scalar(schema, kind, value, where)

    def _check_object(self, schema: Json, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise Violation(f"{where} is no object")
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties")
        for name, part in value.items():
            inner = properties.get(name, others)
            if inner is None:
                raise Violation(f"{where} has no field {name}")
            self._check(inner, part, f"{where}.{name}")


@cache
def installed() -> Discovery:
    """The document of the installed package. Raises `DocumentMissing`."""
    found = find_spec("googleapiclient")
    if found is None or not found.submodule_search_locations:
        raise DocumentMissing(
            "The Google sandbox checks all it says against the document in the package google-api-python-client, "
            "which is not installed. ./sandbox google installs it."
        )
    return Discovery(json.loads((Path(found.submodule_search_locations[0]) / _DOCUMENT).read_text()))


def _check_scalar(schema: Json, kind: str, value: Any, where: str) -> None:
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }[kind]
    if not fits:
        raise Violation(f"{where} is no {kind}")
    if "enum" in schema and value not in schema["enum"]:
        raise Violation(f"{where} is none of {schema['enum']}")
    shape = schema.get("format")
    if shape == "int64" and not _INT.fullmatch(str(value)):
        raise Violation(f"{where} is no whole number")
    if shape == "date" or shape == "date-time":
        try:
            date.fromisoformat(value) if shape == "date" else datetime.fromisoformat(value)
        except ValueError as fault:
            raise Violation(f"{where} is no {shape}") from fault


def _parameter(name: str, rule: Json, text: str) -> Any:
    kind = rule["type"]
    if kind == "boolean":
        if text not in {"true", "false"}:
            raise bad_parameter(f"Invalid boolean value: '{text}'.", name)
        return text == "true"
    if kind == "integer":
        if not _INT.fullmatch(text) or not int(rule.get("minimum", -(2**31))) <= int(text) <= int(
            rule.get("maximum", 2**31 - 1)
        ):
            raise bad_parameter(f"Invalid integer value: '{text}'.", name)
        return int(text)
    if "enum" in rule and text not in rule["enum"]:
        raise bad_parameter(f"Invalid string value: '{text}'. Allowed values: {rule['enum']}", name)
    if rule.get("format") == "date-time":
        return _moment(name, text)
    return text


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise invalid("Bad Request", name, reason="badRequest") from fault
    if moment.tzinfo is None or "T" not in text:
        raise invalid("Bad Request", name, reason="badRequest")
    return moment
