"""Links to rate: only the right signature opens one ticket, for a month; the page runs nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from channels import problem, rating_page, ratings
from channels.rating_link import VALID, number_of, token_for
from channels.views import Progress
from hotline.errors import IllegalTransition, InvalidInput, NotFound
from hotline.ids import DepartmentCode, ticket_number
from hotline.terms import Channel, Rating, State, Verdict

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
NUMBER = ticket_number("DG", NOW.date(), Channel.WEB, 1)
KEY = b"k" * 32
TOKEN = token_for(NUMBER, now=NOW, key=KEY)
PROGRESS = Progress(
    number=NUMBER, status=State.PENDING_FOLLOW_UP, status_label="待回访", verdict=Verdict.NON_EMERGENCY,
    category="路灯", department=DepartmentCode("城管局"), expected_by=None,
    public_reply="<script>alert(1)</script>已修好",
)


def test_a_link_opens_its_ticket_until_it_is_over() -> None:
    assert number_of(TOKEN, now=NOW, key=KEY) == NUMBER
    assert number_of(TOKEN, now=NOW + VALID - timedelta(seconds=1), key=KEY) == NUMBER
    with pytest.raises(NotFound):
        number_of(TOKEN, now=NOW + VALID + timedelta(seconds=1), key=KEY)
    with pytest.raises(NotFound):
        number_of(TOKEN, now=NOW, key=b"x" * 32)
    other = ticket_number("DG", NOW.date(), Channel.WEB, 2)
    with pytest.raises(NotFound):
        number_of(TOKEN.replace(NUMBER, other), now=NOW, key=KEY)


@given(st.text(max_size=80) | st.text(alphabet=TOKEN, min_size=1, max_size=80))
def test_made_up_tokens_open_nothing(token: str) -> None:
    if token == TOKEN:
        return
    with pytest.raises(NotFound):
        number_of(token, now=NOW, key=KEY)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("0aZ.-_"))
def test_a_changed_token_opens_nothing(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1:]
    if changed != TOKEN:
        with pytest.raises(NotFound):
            number_of(changed, now=NOW, key=KEY)


class Port:
    """Knows one link."""

    def __init__(self) -> None:
        self.told: list[tuple[Rating, bool | None, str]] = []
        self.answered = True

    async def linked(self, token: str) -> Progress:
        number_of(token, now=NOW, key=KEY)
        return PROGRESS

    async def rate_linked(self, token: str, rating: Rating, solved: bool | None, note: str) -> Progress:
        number_of(token, now=NOW, key=KEY)
        if not self.answered:
            raise IllegalTransition("no answer to rate yet")
        self.told.append((rating, solved, note))
        return PROGRESS


@pytest.fixture
async def client() -> TestClient:  # type: ignore[misc]
    port = Port()
    app = web.Application(middlewares=[problem.problems])
    app.add_routes(ratings.routes(port))
    async with TestClient(TestServer(app)) as opened:
        opened.ratings = port  # type: ignore[attr-defined]
        yield opened


async def test_the_page_escapes_what_staff_wrote_and_runs_nothing(client: TestClient) -> None:
    answer = await client.get(f"/r/{TOKEN}")
    text = await answer.text()
    assert answer.status == 200
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert all(level.value in text for level in Rating)
    missing = await client.get("/r/nonsense")
    assert missing.status == 404
    assert "无效" in await missing.text()


async def test_form_and_json_are_taken_alike(client: TestClient) -> None:
    form = await client.post(f"/api/v1/ratings/{TOKEN}", data={"rating": "satisfied", "solved": "yes", "note": "谢谢"})
    assert (form.status, form.content_type) == (200, "text/html")
    json = await client.post(f"/api/v1/ratings/{TOKEN}", json={"rating": "dissatisfied", "solved": False})
    assert (json.status, (await json.json())["number"]) == (200, NUMBER)
    told = client.ratings.told  # type: ignore[attr-defined]
    assert told == [(Rating.SATISFIED, True, "谢谢"), (Rating.DISSATISFIED, False, "")]
    wrong = await client.post(f"/api/v1/ratings/{TOKEN}", data={"rating": "great"})
    assert (wrong.status, wrong.content_type) == (400, "text/html")
    client.ratings.answered = False  # type: ignore[attr-defined]
    early = await client.post(f"/api/v1/ratings/{TOKEN}", data={"rating": "satisfied"})
    assert (early.status, early.content_type) == (409, "text/html")


@pytest.mark.parametrize(("body", "form"), [
    (b"rating=great", True), (b"", True), (b"\xff", True), (b"a=1&" * 50, True), (b"{}", False), (b"[", False),
    (b'{"rating": "satisfied", "stars": 5}', False), (b'{"rating": 5}', False),
    (b'{"rating": "satisfied", "note": "' + b"x" * 2000 + b'"}', False),
])
def test_what_is_no_rating_is_refused(body: bytes, form: bool) -> None:
    with pytest.raises(InvalidInput):
        rating_page.decode(body, form=form)
