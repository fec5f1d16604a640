"""What the public reads carries no personal data: replies and published wishes are looked through."""

from __future__ import annotations

import pytest

from channels.data_export import ExportRows
from hotline import commands as c
from hotline.errors import RuleViolation
from hotline.logs import mask
from hotline.personal import checked
from hotline.store.audit import AuditStore
from hotline.store.database import open_pool
from hotline.store.export import AuditedExport
from hotline.store.tickets import TicketStore
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
])
def test_logs_are_masked(line: str, shown: str) -> None:
    assert mask(line) == shown
