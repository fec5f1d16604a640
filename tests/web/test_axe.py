"""axe-core finds no serious violation on any page, at the sizes of a phone and a laptop, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from agent_ui.page import AREAS
from tests.web.conftest import LAPTOP, PHONE, Site
from tests.web.pages import SCENES, Scene

WEB = Path("agent_ui/web")


async def looked_at(site: Site, scene: Scene, *sizes: dict[str, int], language: str = "zh") -> list[str]:
    """Return what is wrong on a page that is opened at the first of the sizes and then drawn to the others."""
    page = await site.visit(scene.path, name=scene.account, size=sizes[0], language=language)
    await page.locator(scene.ready).first.wait_for()
    if scene.act is not None:
        await scene.act(site, page)
    await page.wait_for_load_state("load")
    return [wrong for size in sizes for wrong in await _at(site, scene, page, size)]


async def _at(site: Site, scene: Scene, page: Any, size: dict[str, int]) -> list[str]:
    await page.set_viewport_size(size)
    await page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    found = await site.violations(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0 and not scene.account:
        found.append(f"the page is {wide} pixels wider than the screen")
    return [f"{size['width']} pixels: {one}" for one in found]


def _forgive(site: Site, scene: Scene) -> None:
    """The browser itself logs the 404 of a link that is not valid."""
    if scene.path.startswith("/r/"):
        site.errors.clear()


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
async def test_no_serious_violation(site: Site, scene: Scene) -> None:
    """Citizens come with a phone, staff with a screen."""
    sizes = (LAPTOP, PHONE) if scene.account else (PHONE, LAPTOP)
    assert await looked_at(site, scene, *sizes) == []
    _forgive(site, scene)


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.act is None], ids=lambda scene: scene.name)
async def test_none_in_english_either(site: Site, scene: Scene) -> None:
    assert await looked_at(site, scene, PHONE, language="en") == []
    _forgive(site, scene)


def test_every_page_is_looked_at() -> None:
    sources = [WEB / "src/router.ts", *WEB.glob("src/pages/*/routes.ts")]
    told = [path for source in sources for path in re.findall(r"path: '(/[^':]*)'", source.read_text(encoding="utf-8"))]
    seen = {scene.path.partition("?")[0] for scene in SCENES}
    assert sorted({*told, *AREAS} - seen) == [], "put them into tests/web/pages.py"
