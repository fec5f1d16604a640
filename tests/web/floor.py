"""A call floor of tests: a real Asterisk, a service that steers it, sipp as everybody's telephone."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

from channels.ari_codec import APP
from hotline.store.embedded import start_embedded, stop_embedded
from tests.ports import free_port
from tests.processes import House
from tests.voice.pbx import PASSWORD, USER, Pbx
from tests.voice.phones import endpoint_at

PEOPLE = {"agent": "agent", "agent2": "agent", "boss": "supervisor"}
# An odd number: the two sides of a call take turns in the script, and each comes to every sentence.
HEARD = ("我家楼下的路灯坏了", "有人拿刀砍人，快来人", "请尽快派人来")


class Floor:
    """A PBX, a service that steers it, and the ports at which everybody's telephone is."""

    def __init__(self) -> None:
        self.pbx = Pbx()
        self.ports = {name: free_port() for name in (*PEOPLE, "desk")}
        ears = free_port()
        self.house = House(durable=False, environment={
            "HOTLINE_ARI_URL": self.pbx.ari, "HOTLINE_ARI_USER": USER, "HOTLINE_ARI_PASSWORD": PASSWORD,
            "HOTLINE_ARI_TRUNK": f"PJSIP/phones/sip:{{number}}@127.0.0.1:{self.ports['desk']}",
            "HOTLINE_WRAP_UP_SECONDS": "60", "HOTLINE_SPEECH_URL": f"ws://127.0.0.1:{ears}",
        })
        self._ears = ears

    def start(self) -> None:
        asyncio.run(self.pbx.__aenter__())
        house = self.house
        house.dsn = start_embedded(house.home, durable=False)
        house.migrate()
        for name, role in PEOPLE.items():
            house.add_staff(name, role)
            command = ["user", "phone", name, endpoint_at(self.ports[name]), "--skill", "general=1"]
            subprocess.run([sys.executable, "-m", "hotline", *command], env=house.environment(), check=True)
        house.start_desk()
        script = house.home / "script.txt"
        script.write_text("\n".join(HEARD * 20), encoding="utf-8")
        house.run("ears", "funasr", "--script", str(script), "--port", str(self._ears), "--every", "1")
        asyncio.run(house.serve())
        asyncio.run(self._heard())

    async def _heard(self) -> None:
        """Wait until the PBX tells the service what happens; before, it hangs up who calls."""
        async with at_pbx(self) as pbx:
            for _ in range(300):
                if APP in [one["name"] for one in await pbx.found("applications")]:
                    return
                await asyncio.sleep(0.1)
        raise AssertionError("the service has not come to the PBX")

    def stop(self) -> None:
        self.house.end()
        stop_embedded(self.house.home)
        self.pbx.kill()
        for folder in (self.house.home, self.pbx.home):
            shutil.rmtree(folder, ignore_errors=True)


class AtPbx:
    """What the PBX itself says of the calls."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def found(self, what: str) -> list[dict[str, Any]]:
        """Return its `channels`, `bridges` or `applications`."""
        async with self._session.get(what) as answer:
            return list(await answer.json())

    async def hang_up(self, channel: str) -> None:
        """End a line, if it is still there."""
        async with self._session.delete(f"channels/{quote(channel, safe='')}"):
            pass

    async def together(self) -> int:
        """Return how many telephones are in one call; what is heard beside it, and the recording, are none."""
        lines = {one["id"] for one in await self.found("channels") if one["name"].startswith("PJSIP/")}
        talks = [one for one in await self.found("bridges") if one["id"].startswith("bridge~")]
        return max((len(lines & {*one["channels"]}) for one in talks), default=0)

    async def overheard(self) -> bool:
        """Tell whether somebody hears through an agent's line."""
        ears = re.compile(r"supervisor~.*~(listen|whisper)~ear")
        return any(ears.fullmatch(one["id"]) for one in await self.found("channels"))


@asynccontextmanager
async def at_pbx(floor: Floor) -> AsyncIterator[AtPbx]:
    log_in = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
    async with aiohttp.ClientSession(f"{floor.pbx.ari}/", headers=log_in) as session:
        yield AtPbx(session)


async def until_so(floor: Floor, *, together: int, overheard: bool = False) -> None:
    """Wait until so many lines are in one call, and somebody hears it from outside or not."""
    async with at_pbx(floor) as pbx:
        for _ in range(300):
            if (await pbx.together(), await pbx.overheard()) == (together, overheard):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{await pbx.found('bridges')} {await pbx.found('channels')}")
