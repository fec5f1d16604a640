"""The two small pages: citizens at `/`, staff at `/console`. No build step, nothing from outside.

Script and style stand in the page, and the Content-Security-Policy names their hashes, so nothing else runs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from aiohttp import web

from agent_ui.words import terms
from channels.problem import TITLES

_STATIC = Path(__file__).with_name("static")
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_TERMS = "/*TERMS*/null"


def render(name: str, *, data: object = None) -> tuple[str, str]:
    """Return a page and its Content-Security-Policy; `data` takes the place of `/*TERMS*/null` in its script."""
    text = (_STATIC / name).read_text(encoding="utf-8")
    # A "</script>" inside the data would end the script.
    text = text.replace(_TERMS, msgspec.json.encode(data).decode().replace("<", "\\u003c"))
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(text):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
        "connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return text, policy


def _page(path: str, name: str, data: object = None) -> web.RouteDef:
    text, policy = render(name, data=data)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers={
            "Content-Security-Policy": policy, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        })

    return web.get(path, handler)


def routes(*, units: Sequence[str] = ()) -> list[web.RouteDef]:
    """Return the routes of both pages; they are read once, at start. `units`: departments that a form suggests."""
    data = terms() | {"errors": TITLES, "units": list(units)}
    return [_page("/", "index.html"), _page("/console", "console.html", data)]
