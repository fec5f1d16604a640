"""How long an emergency takes from its arrival over HTTP to the 110 desk's receipt, by the desk's own clock."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from tests.processes import TOKEN, House

TEXT = "万江金泰工业区厂房三楼着火了,有人被困,快来救人,第{n}次"


async def emergencies(house: House, *, count: int, pause: float) -> tuple[float, float]:
    """Send emergencies one by one and return p50 and p99 in milliseconds."""
    sent: dict[str, float] = {}
    async with aiohttp.ClientSession() as session:
        for n in range(count):
            began = time.time()
            headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": f"emergency-{began}-{n}"}
            async with session.post(
                f"{house.url}/api/v1/appeals", json={"text": TEXT.format(n=n)}, headers=headers
            ) as answer:
                body = await answer.json()
            if body.get("verdict") != "emergency":
                raise RuntimeError(f"no emergency: {body}")
            sent[body["number"]] = began
            await asyncio.sleep(pause)
        await asyncio.sleep(3)
        async with session.get(f"{house.desk_url}/incidents") as answer:
            incidents = await answer.json()
    arrived = {one["payload"]["number"]: _seconds(one["received_at"]) for one in incidents}
    delays = sorted(1000 * (arrived[number] - began) for number, began in sent.items() if number in arrived)
    if len(delays) < len(sent):
        raise RuntimeError(f"{len(sent) - len(delays)} emergencies are not at the desk")
    return delays[len(delays) // 2], delays[min(len(delays) - 1, len(delays) * 99 // 100)]


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()
