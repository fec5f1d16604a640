"""A unit's own system at the API: a client with its token, and the tickets it has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui import auth, files, proposals_api, unit_admin, unit_api
from agent_ui.requests import Requests
from agent_ui.staff import Staff, acting_role
from channels.attachments import describe
from channels.message import Receipt
from channels.problem import problems
from hotline.appeal import Attachment, Citizen
from hotline.service import Service
from hotline.store.audit import AuditStore
from hotline.store.proposals import ProposalStore
from hotline.store.relatives import RelativesStore
from hotline.store.tickets import TicketStore
from hotline.store.unit_pages import UnitPages
from hotline.store.units import UnitStore
from hotline.store.uploads import Uploads
from hotline.units import Units
from routing.addresses import networks
from routing.unit_codec import UnitPage
from tests.agent_ui.stack import PASSWORD, Stack
from tests.cities import RULES

UNIT = quote("城管局", safe="")
PNG = (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
       b"\x00\x00\x00\rIDATx\x9ccd`\xf8\x0f\x00\x01\x04\x01\x00_\xe5\xc3K\x00\x00\x00\x00IEND\xaeB`\x82")
PHONE = "+8613812345678"


class Api:
    """The API with a client, and the unit's token."""

    def __init__(self, stack: Stack, client: TestClient[Any, Any], token: str, units: Units) -> None:
        self.stack, self.client, self.token, self.units = stack, client, token, units

    async def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> tuple[int, Any]:
        """Return status and decoded body."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"} | more.pop("headers", {})
        async with self.client.request(method, path, headers=headers, **more) as answer:
            body = await answer.read()
            decoded = "json" in answer.content_type
            return answer.status, msgspec.json.decode(body) if decoded and body else body

    async def page(self, cursor: str = "", limit: int = 100) -> UnitPage:
        path = f"/api/v1/units/{UNIT}/tickets"
        status, body = await self.ask("GET", path, params={"cursor": cursor, "limit": str(limit)})
        assert status == 200, body
        return msgspec.convert(body, UnitPage)

    async def act(self, number: str, command: dict[str, Any], key: str = "", **more: Any) -> tuple[int, Any]:
        path = f"/api/v1/units/{UNIT}/tickets/{number}/commands"
        return await self.ask("POST", path, json={"command": command, **more}, headers={"Idempotency-Key": key})

    async def login(self, name: str) -> str:
        return (await self.stack.accounts.login(name, PASSWORD)).token


@asynccontextmanager
async def opened(stack: Stack, folder: Path) -> AsyncIterator[Api]:
    """Open the API over a whole house, with its files in a folder, for the system of 城管局."""
    async with AsyncExitStack() as exits:
        records = Uploads(stack.pool, files=folder)
        service = Service(store=TicketStore(stack.pool, prefix="DG"), intake=stack.intake, rules=lambda: RULES,
                          clock=stack.clock, files=records)
        book = UnitStore(stack.pool)
        units = Units(store=book, directory=lambda: RULES.directory, allowed=networks("127.0.0.0/8"), clock=stack.clock)

        async def keep(data: bytes, name: str) -> Attachment:
            attachment = describe(data, name)
            await records.keep_attachment(attachment, data, stack.clock())
            return attachment

        async def session(request: web.Request) -> Staff:
            return await stack.accounts.session(auth.token_of(request))

        async def worker(request: web.Request) -> Staff:
            staff = await session(request)
            acting_role(staff)
            return staff

        requests = Requests(store=stack.store, act=service.act, submit=stack.intake.submit, clock=stack.clock, lease=10,
                            relatives=RelativesStore(stack.pool))
        kept = files.TicketFiles(store=stack.store, keep=keep, path_of=records.path_of)
        app = web.Application(middlewares=[problems])
        app.add_routes([
            *unit_api.routes(unit_api.UnitApi(
                authenticate=units.authenticate, requests=requests, pages=UnitPages(stack.pool, stack.store),
                act_once=service.act_once, book=book, files=kept, clock=stack.clock,
                note=AuditStore(stack.pool).note,
            )),
            *unit_admin.routes(units, book, session=session, clock=stack.clock),
            *files.routes(kept, authenticate=worker),
            *proposals_api.routes(ProposalStore(stack.pool), session=session, clock=stack.clock),
        ])
        client = await exits.enter_async_context(TestClient(TestServer(app)))
        made = await units.register("城管局", url="", by="root")
        yield Api(stack, client, made.token, units)


async def appeal(stack: Stack, text: str = "体育路路灯不亮13812345678", **more: Any) -> Receipt:
    return await stack.appeal(text, citizen=Citizen(name="王小明", phone=PHONE), **more)
