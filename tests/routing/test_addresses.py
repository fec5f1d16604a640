"""Where webhooks may go: every way round the guard that is known, and the ways that must stay open."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import Forbidden, InvalidInput, Unavailable
from hotline.standins.unit import UnitDesk
from routing.addresses import check_url, networks, permitted
from routing.webhooks import GuardedResolver, Webhooks

INNER = networks("10.0.0.0/8, fd00::/8")
LOOPBACK = networks("127.0.0.0/8")


@pytest.mark.parametrize("url", [
    "https://system.example.gov.cn/12345", "https://system.example.gov.cn:8443/a?b=c", "https://8.8.8.8/x",
    "https://10.1.2.3/x", "http://10.1.2.3:8080/x", "http://[fd00::1]/x",
])
def test_where_webhooks_may_go(url: str) -> None:
    assert check_url(url, INNER) == url


@pytest.mark.parametrize("url", [
    "", "system.example.gov.cn", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x", "http://[::1",
    "https://localhost/", "https://db/", "https://a.localhost/", "https://127.0.0.1/", "https://[::1]/",
    "https://0.0.0.0/",
    "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data", "https://224.0.0.1/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:192.168.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[fe80::1]/",
    "https://[2002:7f00:1::]/", "http://system.example.gov.cn/", "http://8.8.8.8/", "https://user:secret@example.com/",
    "https://example.com/#x", "https://example.com:99999/", "https://exa\nmple.com/",
    f"https://example.com/{'x' * 2000}",
    # read by whoever connects as 127.0.0.1, without a look-up
    "https://１２７.0.0.1/", "https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://[::127.0.0.1]/",
    "https://[::ffff:0:192.168.0.1]/", "https://[64:ff9b:1::c0a8:1]/",
])
def test_where_webhooks_must_not_go(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url, INNER)


@given(st.text(max_size=50))
def test_no_text_breaks_the_check(url: str) -> None:
    try:
        check_url(url, ())
    except InvalidInput:
        return
    assert url.strip().lower().startswith("https://")


@given(st.ip_addresses())
def test_an_address_is_public_or_named(address: object) -> None:
    text = str(address)
    assert permitted(text, ()) <= permitted(text, networks("0.0.0.0/0,::/0"))
    assert permitted(text, networks(text))


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.0/33", "example.com", "10.0.0.1/8"])
def test_a_wrong_network_is_told(text: str) -> None:
    if text == "10.0.0.0":
        assert len(networks(text)) == 1
        return
    with pytest.raises(InvalidInput, match="webhook_networks"):
        networks(text)


class Turned(AbstractResolver):
    """A name server of an attacker."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
                for one in self.addresses]

    async def close(self) -> None:
        pass


async def test_a_name_that_is_turned_round_after_registration_leads_nowhere() -> None:
    with pytest.raises(OSError, match="must not go"):
        await GuardedResolver((), Turned("127.0.0.1", "10.0.0.1")).resolve("system.example.gov.cn")
    left = await GuardedResolver((), Turned("127.0.0.1", "8.8.8.8")).resolve("system.example.gov.cn")
    assert [one["host"] for one in left] == ["8.8.8.8"]
    sender = Webhooks(allowed=(), timeout=2, resolver=Turned("127.0.0.1"))
    try:
        with pytest.raises(Unavailable):
            await sender.post("https://system.example.gov.cn/", b"{}", ())
    finally:
        await sender.close()


async def test_literal_addresses_are_checked_again_and_redirects_not_followed() -> None:
    desk = UnitDesk(secret="s")
    app = desk.app()
    app.router.add_post("/away", _redirect)
    async with TestServer(app) as server:
        closed, opened = Webhooks(allowed=(), timeout=2), Webhooks(allowed=LOOPBACK, timeout=2)
        try:
            with pytest.raises(Forbidden):
                await closed.post(str(server.make_url("/webhook")), b"{}", ())
            assert await opened.post(str(server.make_url("/away")), b"{}", ()) == 307
            assert await opened.post(str(server.make_url("/webhook")), b"{}", ()) == 401  # not signed
            assert desk.attempts == [""]
            desk.fault = "down"
            with pytest.raises(Unavailable):
                await opened.post(str(server.make_url("/webhook")), b"{}", ())
        finally:
            await closed.close()
            await opened.close()


async def _redirect(_: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "/webhook"})


async def test_signs_that_stand_for_an_address_lead_nowhere() -> None:
    reached: list[object] = []
    server = await asyncio.start_server(lambda _, writer: (reached.append(writer), writer.close())[0], "127.0.0.1", 0)
    port, sender = server.sockets[0].getsockname()[1], Webhooks(allowed=(), timeout=5)
    try:
        for host in ("１２７.0.0.1", "①②⑦.0.0.1"):
            with pytest.raises(Forbidden, match="looked up"):
                await sender.post(f"https://{host}:{port}/", b"{}", ())
    finally:
        await sender.close()
        server.close()
    assert not reached
