"""Units' own systems as people look after them: who registers them, their secrets, dead letters, proposals."""

from __future__ import annotations

from urllib.parse import quote

from hotline import commands as c
from hotline.events import Actor, Role
from hotline.store.proposals import ProposalStore
from hotline.store.units import UnitStore
from tests.agent_ui.unit_system import UNIT, Api, appeal


async def test_the_system_administrator_registers_systems_and_nobody_else(api: Api) -> None:
    admin = await api.login("root")
    path = f"/api/v1/unit-systems/{quote('水务局', safe='')}"
    status, made = await api.ask("PUT", path, token=admin, json={"url": "http://127.0.0.1:9/webhook"})
    assert (status, made) == (200, {"unit": "水务局", "url": "http://127.0.0.1:9/webhook", "active": True})
    assert (await api.ask("PUT", path, token=admin, json={"renew": True}))[0] == 400
    _, listed = await api.ask("GET", "/api/v1/unit-systems", token=admin)
    assert [one["unit"] for one in listed["systems"]] == ["城管局", "水务局"]
    assert "secret" not in str(listed)
    for body in ({"url": "http://127.0.0.2.example/"}, {"url": "https://10.0.0.1/"}, {"x": 1}):
        assert (await api.ask("PUT", path, token=admin, json=body))[0] == 400
    assert (await api.ask("PUT", "/api/v1/unit-systems/x", token=admin, json={}))[0] == 404
    for name in ("zhang", "li", "wang"):
        token = await api.login(name)
        assert (await api.ask("PUT", path, token=token, json={}))[0] == 403
        assert (await api.ask("GET", "/api/v1/deliveries", token=token))[0] == 403
    assert (await api.ask("GET", "/api/v1/unit-systems", token=api.token))[0] == 401


async def test_a_units_own_account_makes_its_secrets_and_nobody_else(api: Api) -> None:
    admin, wang = await api.login("root"), await api.login("wang")
    path, tickets = f"/api/v1/unit-systems/{UNIT}", f"/api/v1/units/{UNIT}/tickets"
    for name in ("root", "zhang", "li"):
        assert (await api.ask("POST", f"{path}/secrets", token=await api.login(name)))[0] == 403
    other = f"/api/v1/unit-systems/{quote('水务局', safe='')}/secrets"
    assert (await api.ask("POST", other, token=wang))[0] == 403, "wang is of 城管局"
    status, made = await api.ask("POST", f"{path}/secrets", token=wang)
    assert (status, made["unit"], bool(made["secret"])) == (200, "城管局", True)
    assert (await api.ask("GET", tickets, token=made["token"]))[0] == 200
    assert (await api.ask("GET", tickets, token=api.token))[0] == 401, "the old one has ended"
    await api.ask("PUT", path, token=admin, json={"url": "http://127.0.0.1:9/webhook"})
    assert (await api.ask("GET", tickets, token=made["token"]))[0] == 200, "a new address leaves it alone"


async def test_a_system_that_was_only_placed_has_no_token_and_its_unit_none_without_it(api: Api) -> None:
    await api.stack.pool.execute("DELETE FROM unit_systems")
    wang, path = await api.login("wang"), f"/api/v1/unit-systems/{UNIT}"
    assert (await api.ask("POST", f"{path}/secrets", token=wang))[0] == 404
    await api.ask("PUT", path, token=await api.login("root"), json={})
    [row] = await api.stack.pool.fetch("SELECT secret <> '' AS signs, token_hash FROM unit_systems")
    assert tuple(row) == (True, None)
    assert (await api.ask("POST", f"{path}/secrets", token=wang))[0] == 200


async def test_dead_letters_are_listed_by_pages_and_resent(api: Api) -> None:
    admin, book = await api.login("root"), UnitStore(api.stack.pool)
    await api.units.register("城管局", url="http://127.0.0.1:9/webhook", by="root")
    await book.gather_all(api.stack.clock())
    for _ in range(3):
        await appeal(api.stack)
    await book.gather_all(api.stack.clock())
    await api.stack.pool.execute("UPDATE webhook_deliveries SET state = 'dead', last_error = 'away'")
    _, page = await api.ask("GET", "/api/v1/deliveries", token=admin, params={"limit": "2", "unit": "城管局"})
    _, rest = await api.ask("GET", "/api/v1/deliveries", token=admin, params={"limit": "2", "cursor": page["next"]})
    ids = [one["id"] for one in (*page["deliveries"], *rest["deliveries"])]
    assert (len(set(ids)), rest["next"]) == (3, "")
    _, mine = await api.ask("GET", f"/api/v1/units/{UNIT}/deliveries")
    assert [one["id"] for one in mine["deliveries"]] == ids
    assert (await api.ask("POST", f"/api/v1/units/{UNIT}/deliveries/{ids[0]}/resend"))[0] == 204
    assert (await api.ask("POST", f"/api/v1/deliveries/{ids[1]}/resend", token=admin))[0] == 204
    assert (await api.ask("POST", f"/api/v1/deliveries/{ids[1]}/resend", token=admin))[0] == 404
    _, waiting = await api.ask("GET", f"/api/v1/units/{UNIT}/deliveries", params={"state": "pending"})
    assert sorted(one["id"] for one in waiting["deliveries"]) == sorted(ids[:2])
    for wrong in ({"state": "x"}, {"cursor": "x"}, {"cursor": "2026-01-01~"}, {"cursor": "2026-01-01T00:00:00~x"}):
        assert (await api.ask("GET", "/api/v1/deliveries", token=admin, params=wrong))[0] == 400


async def test_a_supervisor_sees_the_examples_of_a_proposal_and_dismisses_it(api: Api) -> None:
    receipt = await appeal(api.stack)
    back = c.RequestReturn(legal_basis="排水条例", suggested="水务局")
    for actor, command in ((Actor(Role.DEPARTMENT, "城管局"), back), (Actor(Role.AGENT, "zhang"), c.ApproveReturn())):
        await api.stack.service.act(receipt.number, command, actor=actor)
    [one] = await ProposalStore(api.stack.pool).proposals()
    path, li = f"/api/v1/directory/proposals/{one.id}", await api.login("li")
    _, shown = await api.ask("GET", path, token=li)
    assert (shown["examples"], shown["to_unit"], shown["state"]) == ([receipt.number], "水务局", "open")
    assert (await api.ask("POST", f"{path}/dismissal", token=li, json={"note": ""}))[0] == 400
    status, after = await api.ask("POST", f"{path}/dismissal", token=li, json={"note": "职责不变"})
    assert (status, after["state"], after["decided_by"]) == (200, "dismissed", "li")
    assert (await api.ask("POST", f"{path}/dismissal", token=li, json={"note": "再次"}))[0] == 404
    assert (await api.ask("GET", "/api/v1/directory/proposals/x", token=li))[0] == 404
    assert (await api.ask("GET", path, token=await api.login("zhang")))[0] == 403
