"""The data platform's export from a running service, through real HTTP."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from pyarrow import parquet

from hotline import commands as c
from hotline.signing import signed_headers
from tests.neighbours.house import SECRET
from tests.neighbours.platforms import LI, House


async def exported(house: House, after: int = 0, **query: object) -> tuple[list[dict[str, Any]], int]:
    asked = "&".join(f"{name}={value}" for name, value in {"after": after, **query}.items())
    path = f"/api/v1/export/tickets?{asked}"
    headers = signed_headers(SECRET, path.encode(), now=house.core.clock())
    async with house.session.get(house.base + path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        data, cursor = await answer.read(), int(answer.headers["X-Next-Cursor"])
    if query.get("format") == "parquet":
        return parquet.read_table(io.BytesIO(data)).to_pylist(), cursor
    return [json.loads(line) for line in data.splitlines()], cursor


async def test_the_export_goes_on_where_it_stopped_and_tells_nobody(house: House) -> None:
    appeals = [
        {"text": "我是李明,电话13800138000,身份证441900199001011234,路灯不亮"},
        {"text": "秘密的事", "confidential": True}, {"text": "举报某人", "kind": "report"},
    ]
    for key, appeal in enumerate(appeals):
        await house.portal("appeals", citizen=LI, key=f"k{key}", appeal=appeal)
    rows, cursor = await exported(house)
    paged: list[dict[str, Any]] = []
    at, more = 0, True
    while more:
        page, at = await exported(house, at, limit=1)
        paged, more = paged + page, bool(page)
    assert paged == rows
    assert len({row["cursor"] for row in rows}) == len(rows) >= len(appeals)
    told = json.dumps(rows, ensure_ascii=False)
    assert not any(secret in told for secret in ("李明", "13800138000", "441900199001011234", "秘密", "某人"))
    assert "138****8000" in told
    assert (await exported(house, cursor))[0] == []
    number = rows[0]["number"]
    await house.act(number, c.Accept())
    [row], _ = await exported(house, cursor)
    assert (row["number"], row["type"], row["state"], row["text"]) == (number, "accept", "pending_dispatch", "")


async def test_parquet_holds_the_same(house: House) -> None:
    empty, _ = await exported(house, format="parquet")
    assert empty == []
    await house.portal("appeals", citizen=LI, key="k", appeal={"text": "路灯不亮"})
    rows, cursor = await exported(house)
    columns, same = await exported(house, format="parquet")
    assert len(columns) == len(rows)
    assert same >= cursor  # the log may have grown, with nothing for the export
    for row, column in zip(rows, columns, strict=True):
        assert {name: row[name] for name in ("cursor", "number", "state", "text", "assisting")} == {
            name: column[name] for name in ("cursor", "number", "state", "text", "assisting")}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=9999", "format=csv", "after=９"])
async def test_what_cannot_be_exported_is_told(house: House, query: str) -> None:
    from urllib.parse import quote

    path = f"/api/v1/export/tickets?{quote(query, safe='=&')}"
    status, problem = await house.call("GET", path)
    assert (status, problem["error_id"]) == (400, "invalid_input")


async def test_a_signed_address_opens_no_other_one(house: House) -> None:
    headers = signed_headers(SECRET, b"/api/v1/export/tickets?after=5", now=house.core.clock())
    async with house.session.get(f"{house.base}/api/v1/export/tickets?after=0", headers=headers) as answer:
        assert answer.status == 401
