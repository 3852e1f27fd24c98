"""HTML pages of the sandbox: plain, without scripts, and every value escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;margin:.6rem 0}input:not([type=checkbox]),textarea{width:100%;font:inherit}"
    "button,.account{font:inherit;padding:.5rem 1rem;margin:.3rem .3rem .3rem 0}.account{display:block}"
)


def page(title: str, *parts: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        "<p><small>Google sandbox: not Google, nothing leaves this machine</small></p>"
        f"<h1>{escape(title)}</h1>{''.join(parts)}</body></html>"
    )


def safe(words: str) -> str:
    return escape(words)


def text(words: str) -> str:
    return f"<p>{escape(words)}</p>" if words else ""


def hidden(values: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in values)


def field(label: str, name: str, value: str, *, long: bool = False, kind: str = "text") -> str:
    inner = (
        f'<textarea name="{escape(name)}" rows="4">{escape(value)}</textarea>'
        if long
        else f'<input type="{escape(kind)}" name="{escape(name)}" value="{escape(value)}">'
    )
    return f"<label>{escape(label)}{inner}</label>"


def checkbox(label: str, name: str, value: str, *, ticked: bool) -> str:
    mark = " checked" if ticked else ""
    return f'<label><input type="checkbox" name="{escape(name)}" value="{escape(value)}"{mark}> {escape(label)}</label>'


def button(label: str, name: str, value: str) -> str:
    return f'<button name="{escape(name)}" value="{escape(value)}">{escape(label)}</button>'


def link(label: str, address: str, css: str = "") -> str:
    return f'<a class="{escape(css)}" href="{escape(address)}">{escape(label)}</a>'


def form(action: str, *parts: str) -> str:
    return f'<form method="post" action="{escape(action)}">{"".join(parts)}</form>'
