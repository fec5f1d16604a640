"""`make screenshots`: every page with demo data at the sizes of a phone, a laptop and a wallboard → docs/screenshots.

The same table as the tests of accessibility (tests/web/pages.py); the pictures are made small enough to be committed.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

import aiohttp
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright
from tqdm import tqdm

from hotline.config import Settings
from hotline.demo import Citizens, examples, run
from hotline.store.embedded import start_embedded, stop_embedded
from tests.processes import TOKEN, House
from tests.web.conftest import ARGUMENTS, CHROMIUM, LAPTOP, PHONE, STAFF, UNIT, WALL, Site
from tests.web.pages import SCENES, Scene
from tests.web.small_png import smaller

OUT = Path("docs/screenshots")
MOST = 1_500_000
"""Bytes that all pictures have together."""


BOXES = """() => {
  const drawn = (character) => {
    const canvas = document.createElement('canvas')
    const pen = canvas.getContext('2d')
    pen.font = '20px sans-serif'
    pen.fillText(character, 2, 24)
    return canvas.toDataURL()
  }
  return drawn('政') === drawn('务')
}"""
"""True where two Chinese characters look alike: the machine has no font for them, and draws boxes."""


async def _demo(house: House, *, rate: float, seconds: float) -> None:
    """Let citizens send the shipped examples on the channels that need no secret but the app's token."""
    settings = Settings(app_tokens=f"test:{TOKEN}")
    async with aiohttp.ClientSession() as session:
        citizens = Citizens(session, house.url, settings, seed=7)
        bar = tqdm(total=int(rate * seconds), desc="demo data", unit="appeals")
        await run(citizens, examples(), rate=rate, seconds=seconds, seed=7, sent=bar.update)
        bar.close()


async def _draw(site: Site, scene: Scene, name: str, size: dict[str, int]) -> None:
    page = await site.visit(scene.path, name=scene.account, size=size, reduced_motion="reduce")
    await page.locator(scene.ready).first.wait_for()
    if scene.act is not None:
        await scene.act(site, page)
    await page.evaluate("document.fonts.ready")
    await page.wait_for_timeout(scene.settle)
    await page.evaluate("window.scrollTo(0, 0)")
    picture = OUT / f"{scene.name}-{name}.png"
    picture.write_bytes(smaller(await page.screenshot()))
    await page.context.close()


async def _check_fonts() -> None:
    """Raise SystemExit where Chinese cannot be drawn: pages of boxes show nothing."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        boxes = await (await browser.new_page()).evaluate(BOXES)
        await browser.close()
    if boxes:
        raise SystemExit("this machine has no font for Chinese: install one first (Debian: fonts-noto-cjk)")


async def _drawn(house: House, wanted: list[Scene]) -> list[str]:
    """Draw the pages; return what the browser complained of."""
    await house.serve()
    await _demo(house, rate=8, seconds=20)
    jobs = [
        (scene, name, size)
        for scene in wanted
        for name, size in (("phone", PHONE), ("laptop", LAPTOP), *([("wall", WALL)] if scene.wall else []))
    ]
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        site = Site(house, browser)
        for scene, name, size in tqdm(jobs, desc="pictures"):
            try:
                await _draw(site, scene, name, size)
            except PlaywrightError as error:  # the others are drawn all the same
                site.errors.append(f"{scene.name}-{name}: {error}")
        failed = list(site.errors)
        site.errors.clear()
        await site.close()
        await browser.close()
    return failed


def main() -> None:
    """Draw all pages, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m tests.web.screenshots citizen")
    parser.add_argument("only", nargs="*", help="beginnings of names: citizen, console, board …")
    parser.add_argument("--all", action="store_true", help="those too that the README does not show")
    given = parser.parse_args()
    wanted = [
        scene for scene in SCENES
        if (scene.drawn or given.all) and (not given.only or scene.name.startswith(tuple(given.only)))
    ]
    asyncio.run(_check_fonts())
    OUT.mkdir(parents=True, exist_ok=True)
    house = House(durable=False)
    try:
        house.dsn = start_embedded(house.home, durable=False)
        house.migrate()
        for name, role in STAFF:
            house.add_staff(name, role)
        house.add_staff("dept", "department", "--department", UNIT)
        house.start_desk()
        complaints = asyncio.run(_drawn(house, wanted))
    finally:
        house.end()
        stop_embedded(house.home)
        shutil.rmtree(house.home, ignore_errors=True)
    total = sum(picture.stat().st_size for picture in OUT.glob("*.png"))
    for complaint in complaints:
        print(f"the browser said: {complaint}")
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}, {total / 1000:.0f} kB together")
    if total > MOST:
        raise SystemExit(f"the pictures have more than {MOST / 1e6} MB together: show fewer (drawn=False)")


if __name__ == "__main__":
    main()
