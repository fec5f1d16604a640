"""The knowledge base: what is found, what each version is, who may do what, and how other processes learn of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_ui.knowledge_api import routes
from agent_ui.staff import Staff, StaffRole
from channels.problem import problems
from hotline.city import load_city
from hotline.deadlines import ZONE
from hotline.errors import Forbidden, IllegalTransition, InvalidInput, NotFound, Unauthenticated, VersionConflict
from hotline.knowledge import ArticleState, Content, Index, check_review
from hotline.library import Library, plant
from hotline.seeds import read_seeds
from hotline.store.database import open_pool
from hotline.store.knowledge import KnowledgeStore
from hotline.store.search import words
from tests.hotline.command_line import hotline

SEED = Path("cities/441900/knowledge.jsonl")
UNITS = load_city(Path("cities/441900")).directory.units
SEEDS = read_seeds(SEED, units=UNITS)
NOON = datetime(2026, 11, 21, 12, tzinfo=ZONE)
WANG = Staff(name="wang", display_name="王芳", role=StaffRole.SUPERVISOR)
LI = Staff(name="li", display_name="李敏", role=StaffRole.AGENT)
LAMPS = Staff(name="cgj", display_name="城管局", role=StaffRole.DEPARTMENT, department="城市管理和综合执法局")
LAMP = Content(
    title="路灯不亮怎么报修", department=LAMPS.department,
    body="请提供道路名称和灯杆编号,一般24小时内到场维修。", l1="03", l2="路灯",
)


@pytest.fixture(scope="module")
def index() -> Index:
    found = Index(words)
    found.replace(dict(enumerate(seed.content for seed in SEEDS)))
    return found


# ── finding ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("text", "title"), [
    ("南城鸿福路的路灯坏了三天,晚上很黑", "路灯不亮怎么报修"), ("老板拖欠我们三个月工资不给", "被拖欠工资怎么投诉"),
    ("健身房突然关门,预付卡里还有三千块", "商家关门,预付卡不退怎么办"), ("家里闻到一股煤气味", "闻到燃气味怎么办"),
    ("半夜工地还在打桩,吵得睡不着", "夜间施工噪声扰民怎么处理"),
    ("想问一下孩子积分入学怎么申请", "非户籍子女积分入学怎么申请"),
    ("电动车推进楼道里飞线充电", "电动车飞线充电、进楼怎么反映"), ("快递丢了,驿站说没有", "快递丢失、不上门怎么投诉"),
    ("公积金租房提取需要什么材料", "住房公积金怎么提取"), ("身份证丢了在异地能不能补办", "身份证丢失、到期怎么补换领"),
])
def test_an_appeal_finds_its_article(index: Index, text: str, title: str) -> None:
    assert index.find(text)[0].title == title


def test_the_category_counts_where_it_is_known(index: Index) -> None:
    text = "请问怎么办理,需要带什么材料"
    plain, told = ([hit.l2 for hit in index.find(text, limit=50, **known)].index("低保")
                   for known in ({}, {"l1": "12", "l2": "低保"}))
    assert told < plain
    assert index.find(text, department="教育局", limit=3)
    assert {hit.department for hit in index.find(text, department="教育局")} == {"教育局"}


@pytest.mark.parametrize("text", ["", "  ", "!!!", "zzzz", "𠀀𠀁", "'; DROP TABLE articles; --"])
def test_words_that_nobody_wrote_find_nothing_much(index: Index, text: str) -> None:
    assert len(index.find(text)) <= 5


contents = st.builds(
    Content, title=st.text("路灯工资煤气", min_size=2, max_size=8), department=st.sampled_from(["甲", "乙"]),
    body=st.text("路灯工资煤气味的", min_size=10, max_size=40),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.none() | contents), max_size=25), st.text("路灯工资煤气", min_size=2))
def test_an_index_that_has_changed_is_like_a_new_one(changes: list[tuple[int, Content | None]], text: str) -> None:
    changed, now = Index(words), dict[int, Content]()
    for id_, content in changes:
        if content is None:
            changed.remove(id_)
            now.pop(id_, None)
        else:
            changed.put(id_, content)
            now[id_] = content
    fresh = Index(words)
    fresh.replace(now)
    assert len(changed) == len(now)
    assert [(hit.id, hit.score) for hit in changed.find(text)] == [(hit.id, hit.score) for hit in fresh.find(text)]


# ── the seed ─────────────────────────────────────────────────────────────────────────────────────
def test_the_demo_articles_say_that_they_are_ours() -> None:
    assert len(SEEDS) >= 36
    assert all("演示内容" in seed.content.source for seed in SEEDS)
    labels = {(label.l1, label.l2) for label in load_city(Path("cities/441900")).categories}
    assert {(seed.content.l1, seed.content.l2) for seed in SEEDS} <= labels
    assert len({seed.content.department for seed in SEEDS}) >= 20


def test_mistakes_in_a_file_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "k.jsonl"
    good = msgspec.json.encode(SEEDS[0])
    file.write_bytes(b"\n".join([good, good, b"{", good.replace("人力资源和社会保障局".encode(), b"x")]))
    with pytest.raises(InvalidInput) as caught:
        read_seeds(file, units=UNITS)
    for told in ("k.jsonl:2", "k.jsonl:3", "k.jsonl:4", "重复", "单位“x”"):
        assert told in caught.value.detail


# ── versions ─────────────────────────────────────────────────────────────────────────────────────
class House:
    def __init__(self, store: KnowledgeStore) -> None:
        self.now = NOON
        self.store = store
        self.library = Library(store, words=words, clock=lambda: self.now)


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[House]:
    async with await open_pool(dsn, size=3) as pool:
        yield House(KnowledgeStore(pool))


async def published(home: House) -> int:
    article = await home.library.write(LAMPS, LAMP)
    assert article is not None
    await home.library.publish(WANG, article.row.id, 1)
    return article.row.id


async def test_the_way_of_an_article(database: str) -> None:
    async with house(database) as home, house(database) as other:
        article = await home.library.write(LAMPS, LAMP)
        assert article is not None
        id_ = article.row.id
        assert (article.row.state, home.library.search("路灯")) == (ArticleState.DRAFT, [])
        shown = await home.library.publish(WANG, id_, 1, note="核对过")
        assert (shown.row.state, shown.row.review_on) == (ArticleState.PUBLISHED, date(2027, 5, 20))
        await other.library.reload()
        assert [hit.id for hit in other.library.search("路灯报修")] == [id_]
        changed = msgspec.structs.replace(LAMP, title="路灯和景观灯报修")
        second = await home.library.change(LAMPS, id_, changed, seen=1, note="加景观灯")
        assert (second.version, second.row.latest, second.row.published) == (2, 2, 1)
        assert (await home.library.article(id_)).content.title == LAMP.title, "the draft is not shown yet"
        await home.library.publish(WANG, id_, 2)
        assert home.library.search("景观灯")[0].title == changed.title
        gone = await home.library.withdraw(WANG, id_, note="合并到别篇")
        assert (gone.row.state, home.library.search("景观灯")) == (ArticleState.WITHDRAWN, [])
        await other.library.reload()
        assert other.library.search("景观灯") == []
        assert [(act.act, act.version, act.actor) for act in gone.acts] == [
            ("written", 1, "cgj"), ("published", 1, "wang"), ("written", 2, "cgj"), ("published", 2, "wang"),
            ("withdrawn", 2, "wang")]
        assert (await home.library.article(id_, 1)).content == LAMP
        with pytest.raises(IllegalTransition):
            await home.library.withdraw(WANG, id_)


async def test_nobody_writes_over_somebody_else(database: str) -> None:
    async with house(database) as home:
        id_ = await published(home)
        await home.library.change(WANG, id_, LAMP, seen=1)
        for seen in (1, 3):
            with pytest.raises(VersionConflict):
                await home.library.change(LAMPS, id_, LAMP, seen=seen)
        with pytest.raises(VersionConflict):
            await home.library.publish(WANG, id_, 1)
        with pytest.raises(NotFound):
            await home.library.publish(WANG, id_, 9)


async def test_what_is_due_for_review(database: str) -> None:
    async with house(database) as home:
        id_ = await published(home)
        assert await home.library.overdue() == []
        home.now += timedelta(days=180)
        assert [row.id for row in await home.library.overdue()] == [id_]
        assert await home.library.overdue(department="教育局") == []
        await home.library.review(WANG, id_, note="仍然有效")
        assert await home.library.overdue() == []


@pytest.mark.parametrize("days", [0, -1, 1099])
def test_a_review_lies_ahead(days: int) -> None:
    with pytest.raises(InvalidInput):
        check_review(NOON.date() + timedelta(days=days), NOON.date())


async def test_who_may_do_what(database: str) -> None:
    async with house(database) as home:
        id_ = await published(home)
        other = msgspec.structs.replace(LAMP, department="教育局")
        for refused in (
            home.library.write(LI, LAMP), home.library.write(LAMPS, other),
            home.library.change(LAMPS, id_, other, seen=1), home.library.publish(LAMPS, id_, 1),
            home.library.withdraw(LI, id_), home.library.review(LAMPS, id_),
        ):
            with pytest.raises(Forbidden):
                await refused


async def test_a_file_is_planted_once(database: str) -> None:
    async with house(database) as home:
        assert await plant(home.library, WANG, SEEDS) == len(SEEDS)
        assert await plant(home.library, WANG, SEEDS) == 0
        assert len(await home.library.listed(state="published", limit=200)) == len(SEEDS)
        assert await home.library.listed(state="draft") == []


async def test_the_command_line(database: str) -> None:
    assert "articles published" in (await hotline("knowledge", "import", str(SEED), dsn=database)).out
    assert "路灯" in (await hotline("knowledge", "search", "路灯不亮", dsn=database)).out
    assert (await hotline("knowledge", "overdue", dsn=database)).out == ""


# ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────
async def test_over_http(database: str) -> None:
    async def known(request: web.Request) -> Staff:
        if "X-Name" not in request.headers:
            raise Unauthenticated("log in first")
        return {one.name: one for one in (WANG, LI, LAMPS)}[request.headers["X-Name"]]

    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house(database))
        app = web.Application(middlewares=[problems])
        app.add_routes(routes(home.library, known=known))
        client = await stack.enter_async_context(TestClient(TestServer(app)))

        async def call(method: str, path: str, body: object = None, *, name: str = "wang", status: int = 200) -> object:
            answer = await client.request(method, f"/api/v1/knowledge/{path}", json=body, headers={"X-Name": name})
            assert answer.status == status, await answer.text()
            return await answer.json()

        made = await call("POST", "articles", msgspec.to_builtins(LAMP), name="cgj", status=201)
        path = f"articles/{made['row']['id']}"  # type: ignore[index]
        await call("POST", f"{path}/publication", {"version": 1}, name="cgj", status=403)
        await call("POST", f"{path}/publication", {"version": 1, "review_on": "2020-01-01"}, status=400)
        await call("POST", f"{path}/publication", {"version": 1, "review_on": "2027-01-01"})
        [hit] = await call("POST", "suggestions", {"text": "路灯不亮", "l1": "03"}, name="li")  # type: ignore[misc]
        assert hit["title"] == LAMP.title
        assert await call("GET", "search?text=路灯", name="li")
        await call("GET", "search?text=", name="li", status=400)
        await call("PUT", path, {"content": msgspec.to_builtins(LAMP), "seen": 7}, status=409)
        changed = await call("PUT", path, {"content": msgspec.to_builtins(LAMP), "seen": 1})
        assert changed["version"] == 2  # type: ignore[index]
        assert (await call("GET", f"{path}?version=1"))["version"] == 1  # type: ignore[index]
        assert len(await call("GET", "articles?state=published")) == 1  # type: ignore[arg-type]
        await call("GET", "articles?state=lost", status=400)
        assert await call("GET", "overdue") == []
        await call("POST", f"{path}/review", {})
        await call("POST", f"{path}/withdrawal", {"note": "过时"})
        await call("POST", f"{path}/withdrawal", {}, status=409)
        for wrong in ("articles/x", "articles/99999999999", "articles/77"):
            await call("GET", wrong, status=404)
        assert (await client.get("/api/v1/knowledge/search?text=x")).status == 401
