"""The pages: one application for citizens and staff, built by Vite into `web/dist` and served from here.

Whatever area an address belongs to, the answer is the same `index.html`; its router shows the area. Files under
`/assets` have a hash in their name and are kept by browsers for good. Where nothing is built, one short page says how.
"""

from __future__ import annotations

from pathlib import Path

from aiohttp import hdrs, web

DIST = Path(__file__).parent / "web" / "dist"
AREAS = ("/console", "/desk", "/board", "/admin", "/login")
"""Addresses of the application beside `/`; what stands below them is the application's too."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Only our own files, no inline script and no inline style; the console's WebSocket has a port of its own."""
_NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>12345</title>
<h1>页面尚未构建</h1><p>请在项目目录运行 <code>make pages</code>，然后刷新本页。接口照常可用。</p>
<p lang="en">The pages are not built yet: run <code>make pages</code>, then reload. Everything else works.</p></html>
"""
_HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_FOR_GOOD = "public, max-age=31536000, immutable"


def built(dist: Path) -> bool:
    """Tell whether there are pages to serve."""
    return (dist / "index.html").is_file()


def routes(*, dist: Path = DIST) -> list[web.RouteDef]:
    """Return the routes of the pages; `dist` is looked at with each request, so a new build needs no restart."""

    async def page(_: web.Request) -> web.StreamResponse:
        if not built(dist):
            return web.Response(status=503, text=_NOT_BUILT, content_type="text/html", headers={
                **_HEADERS, hdrs.CACHE_CONTROL: "no-store",
            })
        return web.FileResponse(dist / "index.html", headers={**_HEADERS, hdrs.CACHE_CONTROL: "no-cache"})

    async def asset(request: web.Request) -> web.StreamResponse:
        return _file(dist / "assets" / request.match_info["name"], kept=_FOR_GOOD)

    async def icon(_: web.Request) -> web.StreamResponse:
        return _file(dist / "favicon.svg", kept="public, max-age=86400")

    below = [web.get(f"{area}/{{tail:.*}}", page) for area in AREAS]
    return [
        *(web.get(path, page) for path in ("/", *AREAS)), *below,
        web.get(r"/assets/{name:[\w-][\w.-]*}", asset), web.get("/favicon.svg", icon),
    ]


def _file(path: Path, *, kept: str) -> web.StreamResponse:
    """Return a file, packed if the browser takes it and the build made it (`.br`, `.gz`)."""
    if not path.is_file():
        raise web.HTTPNotFound(text=f"there is no file {path.name}; reload the page, it may have been built anew")
    return web.FileResponse(path, headers={**_HEADERS, hdrs.CACHE_CONTROL: kept})
