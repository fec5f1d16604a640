"""What the public reads carries no personal data: replies and published wishes are looked through."""

from __future__ import annotations

from unittest.mock import AsyncMock, Mock

import pytest

from channels.data_export import ExportRows
from hotline import commands as c
from hotline.errors import RuleViolation, Unavailable
from hotline.logs import mask
from hotline.personal import checked
from hotline.store.audit import AuditStore
from hotline.store.database import open_pool
from hotline.store.export import AuditedExport
from hotline.store.tickets import TicketStore
from hotline.telephone import Telephone
from routing.call_wait import Preview
from tests.cities import NOW
from tests.privacy.house import opened
from tests.privacy.test_at_rest import SECRETS, TEXT


@pytest.mark.parametrize("text", [
    "已联系13800138000", "请联系张三丰", "身份证44190019900101123X", "卡号6222020200112233", "请拨+86 13800138000",
])
@pytest.mark.parametrize("kind", ["reply", "wish"])
async def test_what_the_public_reads_is_looked_through(database: str, text: str, kind: str) -> None:
    async with await open_pool(database, size=2) as pool:
        [receipt] = await opened(pool, ["a"])
        ticket = (await TicketStore(pool, prefix="DG").read(receipt.number)).ticket
    command: c.Command = c.Reply(internal=text, public=text) if kind == "reply" else c.PublishWish(title=text)
    if text.startswith("卡号"):
        assert checked(command, ticket), "its check digit is wrong: no card"
        return
    with pytest.raises(RuleViolation, match="个人信息") as caught:
        checked(command, ticket)
    assert caught.value.error_id == "personal_data"
    assert "13800138000" not in caught.value.detail
    fine = c.Reply(internal=text, public="路灯已修好,咨询0769-22110000")
    assert checked(fine, ticket) == fine


async def test_an_export_is_masked_and_kept(database: str) -> None:
    async with await open_pool(database, size=2) as pool:
        store: ExportRows = AuditedExport(pool, clock=lambda: NOW)
        assert (await store.page(0, 100))[0] == []
        await opened(pool, ["a", "b"], text=TEXT)
        rows, cursor = await store.page(0, 100)
        assert [secret for secret in SECRETS if secret in str(rows)] == []
        assert any("路灯不亮" in row.text for row in rows)
        assert (await store.page(cursor, 100))[0] == []
        records = await AuditStore(pool).page(limit=9)
    assert [(one.act, one.actor, one.detail["rows"]) for one in records] == [
        ("export.tickets", "neighbour:data", str(len(rows)))
    ]


@pytest.mark.parametrize(("line", "shown"), [
    ("from 13800138000", "from 138****8000"), ("0769-22223333 busy", "0769-****3333 busy"),
    ("440106199001011234", "440106********1234"), ("took 0.123456 s, 2026-11-21", "took 0.123456 s, 2026-11-21"),
    ("from +8613800138000", "from +86138****8000"), ("from 8613800138000", "from 86138****8000"),
    ("from 008613800138000", "from 0086138****8000"), ("from 138-0013-8000", "from 138****8000"),
    ("from 02012345678", "from 0201****678"), ("from +862012345678", "from +86201****678"),
    ("from +85223456789", "from +852****6789"), ("callerId=%2B8613800138000", "callerId=%2B86138****8000"),
    (repr("电话\n13800138000"), r"'电话\n138****8000'"), ("tel13800138000", "tel138****8000"),
    ("Dial(endpoint='outside:+8613800138000')", "Dial(endpoint='outside:+86138****8000')"),
    ("DG202611213000042701 took 1732248339123 ms", "DG202611213000042701 took 1732248339123 ms"),
    ("GET /r/DG202611213000042701.sz1c0.aB-_9 HTTP/1.1", "GET /r/… HTTP/1.1"),
    ("/api/v1/ratings/DG202611213000042701.sz1c0.aB-_9", "/api/v1/ratings/…"),
    ("/open311/v2/tokens/0f3aaB-_9.json", "/open311/v2/tokens/…"),
    ("/api/v1/tickets/DG202611213000042701?code=123456", "/api/v1/tickets/DG202611213000042701?code=…"),
])
def test_logs_are_masked(line: str, shown: str) -> None:
    assert mask(line) == shown


async def test_a_call_that_fails_is_logged_without_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local number looks like a date or a count: no pattern knows it in a line."""
    pbx, log = AsyncMock(), Mock()
    monkeypatch.setattr("hotline.telephone.log", log)
    pbx.perform.side_effect = Unavailable("the PBX does not answer")
    telephone = Telephone(pbx=pbx, store=AsyncMock(), books=AsyncMock(), clock=lambda: NOW)
    await telephone.dial(Preview(call="call-1", agent="li", endpoint="outside:22830000", number="22830000"))
    log.warning.assert_any_call("call_action_failed", call="call-1", action="Dial", error="the PBX does not answer")
    assert "22830000" not in str(log.mock_calls)
