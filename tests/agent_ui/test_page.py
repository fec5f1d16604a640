"""The built pages as the service serves them: types, caching, packing, policy, and nothing outside the folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from agent_ui import page
from channels.problem import problems

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A small build."""
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "index.html").write_text('<!doctype html><html lang="zh-CN"><div id="app"></div></html>')
    (assets.parent / "favicon.svg").write_text("<svg/>")
    (assets / "index-AbC1_-x.js").write_text("plain")
    (assets / "index-AbC1_-x.js.gz").write_bytes(b"packed")
    (tmp_path / "secret.txt").write_text("hidden words")
    return assets.parent


@pytest.fixture
async def client(dist: Path) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems])
    app.add_routes(page.routes(dist=dist))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/console", "/console/x/y", "/desk", "/board/heat", "/admin/people", "/login"])
async def test_every_area_is_the_application(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 200
    assert 'id="app"' in await answer.text()
    assert answer.headers["Cache-Control"] == "no-cache"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    again = await client.get(path, headers={"If-Modified-Since": answer.headers["Last-Modified"]})
    assert again.status == 304


async def test_assets_are_kept_for_good_and_sent_packed(client: Client) -> None:
    async with ClientSession(auto_decompress=False) as raw:
        url = client.make_url("/assets/index-AbC1_-x.js")
        async with raw.get(url, headers={"Accept-Encoding": "gzip"}) as packed:
            assert (await packed.read(), packed.headers["Content-Encoding"]) == (b"packed", "gzip")
            assert "immutable" in packed.headers["Cache-Control"]
            assert "javascript" in packed.headers["Content-Type"]
        async with raw.get(url, headers={"Accept-Encoding": "identity"}) as plain:
            assert await plain.read() == b"plain"
    assert (await client.get("/favicon.svg")).content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "name", ["gone-123.js", "..%2f..%2fsecret.txt", "%2e%2e", ".hidden", "a%00b", "assets/../x"]
)
async def test_what_is_not_there_is_not_found(client: Client, name: str) -> None:
    answer = await client.get(URL(f"/assets/{name}", encoded=True))
    assert answer.status == 404
    assert "hidden words" not in await answer.text()


async def test_where_nothing_is_built_the_page_says_how(tmp_path: Path) -> None:
    app = web.Application()
    app.add_routes(page.routes(dist=tmp_path / "dist"))
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/console")
        assert answer.status == 503
        assert "make pages" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
