"""A city's own tickets: every file format, labels in every way of writing, groups, the report, and who is installed."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
import structlog
from openpyxl import Workbook
from structlog.testing import capture_logs

from hotline.city import City, load_city
from hotline.cli.train import tell
from hotline.durable import write_durably
from hotline.errors import InvalidInput
from tests.triage.small import MATTERS, TAILS, write_corpus
from triage import linear
from triage.bars import bins_of
from triage.city_train import Outcome, parted, train_city
from triage.corpus import Example
from triage.install import install
from triage.linear import PREVIOUS, load_linear
from triage.report import Answer, Match, report
from triage.successor import worse
from triage.svg import Point, confusion, curve, reliability
from triage.tickets import Grams, Tickets, alike, groups_of, hash_of, read_tickets
from triage.train import train

LINEAR = ["linear.json", "linear.safetensors"]
ROWS = [
    {"内容": "桥头路灯坏了三盏", "分类": "0307"},
    {"内容": "水管爆了没人修", "分类": "09供水"},
    {"内容": "拖欠工资半年", "分类": "劳动社保/欠薪"},
    {"内容": "巷子里的灯不亮", "分类": "路灯"},
    {"内容": "没有标签", "分类": ""},
    {"内容": "", "分类": "路灯"},
    {"内容": "不知道是什么", "分类": "外星人"},
    {"内容": "其他只有名字有歧义", "分类": "其他"},
]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path("cities/441900"))


def written(folder: Path, form: str) -> Path:
    path = folder / f"tickets.{form.partition('-')[0]}"
    if form.startswith("csv"):
        with path.open("w", encoding=form.partition("-")[2], newline="") as file:
            writer = csv.DictWriter(file, ["内容", "分类"])
            writer.writeheader()
            writer.writerows(ROWS)
    elif form == "xlsx":
        book = Workbook()
        book.active.append(["内容", "分类", "备注"])  # type: ignore[union-attr]
        for row in ROWS:
            book.active.append([*row.values(), 7])  # type: ignore[union-attr]
        book.save(path)
    else:
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n\n", "utf-8")
    return path


@pytest.mark.parametrize("form", ["csv-utf-8", "csv-utf-8-sig", "csv-gb18030", "xlsx", "jsonl"])
def test_every_format_is_read_alike(form: str, city: City, tmp_path: Path) -> None:
    tickets = read_tickets(written(tmp_path, form), text="内容", label="分类", labels=city.categories)
    assert [(one.label, one.text) for one in tickets.examples] == [
        ("03路灯", "桥头路灯坏了三盏"),
        ("09供水", "水管爆了没人修"),
        ("01欠薪", "拖欠工资半年"),
        ("03路灯", "巷子里的灯不亮"),
    ]
    assert tickets.strange == {"外星人": 1, "其他": 1}
    assert tickets.empty == 2


def test_a_code_whose_zero_a_spreadsheet_took_away_is_understood(city: City, tmp_path: Path) -> None:
    book = Workbook()
    for row in (("内容", "分类"), ("灯不亮", 307), ("灯歪了", 307.0), ("鱼死了", 1301), ("怪事", 99), ("怪事二", 30)):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "a.xlsx")
    tickets = read_tickets(tmp_path / "a.xlsx", text="内容", label="分类", labels=city.categories)
    assert [one.l1 for one in tickets.examples] == ["03", "03", "13"]
    assert tickets.strange == {"99": 1, "30": 1}
    assert tickets.left_out == "不在 categories.csv 中的标签共 2 行: 99(1)、30(1)"


def test_a_row_ends_where_its_line_ends(city: City, tmp_path: Path) -> None:
    text = "路灯不亮\u2028三天了\x85没人修"
    (tmp_path / "a.csv").write_text(f"内容,分类\r\n{text},0307\r\n", "utf-8", newline="")
    [found] = read_tickets(tmp_path / "a.csv", text="内容", label="分类", labels=city.categories).examples
    assert found.text == text


@pytest.mark.parametrize("row", ['"灯不亮,0307\n水管爆了,0901\n', '"灯不亮,0307\n"水管爆了",0901\n'])
def test_a_quote_that_is_never_closed_swallows_no_rows(row: str, city: City, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"内容,分类\n桥塌了,0307\n{row}", "utf-8")
    with pytest.raises(InvalidInput, match="引号"):
        read_tickets(tmp_path / "a.csv", text="内容", label="分类", labels=city.categories)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"x,y\n1,2\n", "内容"),
        ("a.csv", b"", "没有数据行"),
        ("a.csv", b"\xff\xfe\x00", "编码"),
        ("a.jsonl", b'{"\xe5\x86\x85\xe5\xae\xb9": 1}\n[', "分类"),
        ("a.xlsx", b"PK no zip", "Excel"),
        ("a.docx", b"", ".xlsx"),
        ("a.jsonl", b"[1]", "a.jsonl:1"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(name: str, content: bytes, told: str, city: City, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=re.escape(told)):
        read_tickets(tmp_path / name, text="内容", label="分类", labels=city.categories)
    with pytest.raises(InvalidInput, match="none"):
        read_tickets(tmp_path / "none.csv", text="内容", label="分类", labels=city.categories)


def test_near_duplicates_are_one_group() -> None:
    first = "南城鸿福路工地半夜打桩, 吵得全楼的人都睡不着觉, 请派人来管一管"
    groups = groups_of([first, first + "谢谢", "老板拖欠工资三个月", first.replace("请", "求")])
    assert groups[0] == groups[1] == groups[3] != groups[2]
    assert groups_of(["老板拖欠工资三个月"]) == [groups[2]], "a group's name does not hang on its neighbours"


def test_a_group_has_the_same_name_in_whatever_order_its_texts_come() -> None:
    first = "南城鸿福路工地半夜打桩, 吵得全楼的人都睡不着觉, 请派人来管一管"
    texts = [first, first + "谢谢", "老板拖欠工资三个月", first.replace("请", "求"), first + "!!"]
    names = dict(zip(texts, groups_of(texts), strict=True))
    for order in itertools.permutations(texts):
        assert dict(zip(order, groups_of(order), strict=True)) == names


def test_what_was_once_held_out_is_never_trained_on_with_other_neighbours_either(
    corpus: Path, present: Path, city: City, tmp_path: Path
) -> None:
    tickets, file = made_up(330), tmp_path / "training/held_out.txt"
    once, gone = parted(tickets, ())[0][0], hash_of("一件今天没有的工单")
    write_durably(file, f"{hash_of(once.text)}\n{gone}\n".encode())
    (tmp_path / "out").mkdir()
    taught_beside: list[tuple[Sequence[Example], Sequence[str] | None]] = []
    outcome = train_city(
        tickets, corpus, present, tmp_path / "out", city, title="试", keep=True, held_out=file, progress=False,
        second=lambda examples, city, folder, trained, groups: taught_beside.append((examples, groups)),
    )
    held = {once.text, *(one.text for one in parted(tickets, ())[2])}
    [(examples, groups)] = taught_beside
    known = dict(zip((one.text for one in tickets.examples), tickets.groups, strict=True))
    assert [known.get(one.text, group) for one, group in zip(examples, groups or (), strict=True)] == groups
    assert not held & {one.text for one in examples}
    assert "只看线性模型" in outcome.report.read_text("utf-8")
    kept = frozenset(file.read_text("ascii").split())
    assert kept == {gone, *map(hash_of, held)}
    renamed = tickets._replace(groups=[f"{number * 10 + 1:016x}" for number in range(330)])
    seen, _, again = parted(renamed, kept)
    assert {one.text for one in again} == held
    assert not held & {one.text for one in seen}


def test_what_is_held_out_is_noted_before_anything_is_trained(corpus: Path, city: City, tmp_path: Path) -> None:
    tickets, file = made_up(330), tmp_path / "training/held_out.txt"
    with pytest.raises(InvalidInput, match="linear"):  # the first thing that is asked of the present model
        train_city(
            tickets, corpus, tmp_path / "none", tmp_path / "out", city, title="试", held_out=file, progress=False
        )
    assert set(file.read_text("ascii").split()) == {hash_of(one.text) for one in parted(tickets, ())[2]}


def test_what_all_records_share_makes_nobody_compare_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(one: Grams, other: Grams) -> bool:
        nonlocal compared
        compared += 1
        return alike(one, other)

    monkeypatch.setattr("triage.tickets.alike", counted)
    own = ["".join(chr(0x4E00 + (number * 7919 + at * at * 101) % 9000) for at in range(40)) for number in range(1000)]
    texts = [f"来电人反映:{one},来电人对此表示不满,请相关部门核实处理并回复来电人,谢谢!" for one in own]
    again = [f"{text}{number % 10}" for number, text in enumerate(texts)]
    groups = groups_of([*texts, *again])
    assert len(set(groups)) == 1000
    assert groups[:1000] == groups[1000:]
    assert compared <= 16 * len(groups), "as many more as there are more texts"


def test_hundreds_who_send_one_letter_with_their_own_name_are_one_group() -> None:
    letter = "我们是小区的业主,电梯从上个月起天天停,老人下不了楼,物业说没有钱修,请住建部门用维修资金马上修好。"
    names = ["".join(chr(0x4E00 + (number * 53 + at * 17) % 4000) for at in range(8)) for number in range(300)]
    others = [f"{name}门口的路灯坏了,{name[::-1]}的井盖也没有了,请处理" for name in names]
    groups = groups_of([text for name, other in zip(names, others, strict=True) for text in (letter + name, other)])
    assert len(set(groups[::2])) == 1


def made_up(count: int) -> Tickets:
    """Tickets whose words the small corpus does not know: only who learns from them can tell them apart."""
    rows = []
    for number in range(count):
        word, l1, l2 = (("喔噢喔", "04", "施工噪声"), ("咕叽叽", "13", "河涌"), ("哐当哐", "03", "违建"))[number % 3]
        tail = "".join(chr(0x4E00 + (number * 37 + at * 101) % 5000) for at in range(8))
        rows.append(f'{{"text": "{word}{tail}{word} 13800138000", "label": "{l1}{l2}"}}')
    path = Path("tickets.jsonl")
    return _read(path, rows)


def _read(path: Path, rows: list[str]) -> Tickets:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_text("\n".join(rows), "utf-8")
        return read_tickets(file, text="text", label="label", labels=load_city(Path("cities/441900")).categories)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


@pytest.fixture
def present(corpus: Path, city: City, tmp_path: Path) -> Path:
    models = tmp_path / "models"
    train(corpus, models, city, progress=False)
    return models


def taught(tickets: Tickets, corpus: Path, models: Path, out: Path, city: City, *, force: bool = False) -> Outcome:
    out.mkdir()
    return train_city(
        tickets, corpus, models, out, city, title="试", force=force, corrections=True, progress=False
    )


class _Loads(HTMLParser):
    """Gathers whatever a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "data", "srcset"}]


def test_better_is_installed_with_a_report_and_the_same_again_is_not(
    corpus: Path, present: Path, city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets, before = made_up(330), load_linear(present).card.version
    outcome = taught(tickets, corpus, present, tmp_path / "one", city)
    assert outcome.match.installed
    assert outcome.match.new_right > outcome.match.present_right
    assert outcome.right > 0.9
    assert load_linear(present).card.version != before
    assert load_linear(present / PREVIOUS).card.version == before
    card = (present / "README.md").read_text("utf-8")
    assert load_linear(present).card.version in card, "the card is the new model's"
    assert f"{outcome.match.texts} others are never trained on" in card
    tell(outcome)
    coverage = outcome.held_out["dispatch_coverage"]
    assert f"| ordinary texts dispatched without a person | {coverage} |" in card
    assert f"held out: dispatched without a person{coverage:>13.4f}" in capsys.readouterr().out
    page = outcome.report.read_text("utf-8")
    parser = _Loads()
    parser.feed(page)
    assert parser.found == [], "the report loads nothing"
    assert parser.tags.count("svg") == 3
    assert "13800138000" not in page
    again = taught(tickets, corpus, present, tmp_path / "two", city)
    assert not again.match.installed, "it is no better than itself"
    assert taught(tickets, corpus, present, tmp_path / "three", city, force=True).match.installed


def test_who_learns_what_was_corrected_and_forgets_the_rest_is_not_installed(city: City, tmp_path: Path) -> None:
    """The present model got all that was corrected wrong, so whoever has learnt some of it is right on more."""
    corpus, models = tmp_path / "corpus", tmp_path / "models"
    corpus.mkdir()
    write_corpus(corpus, [f"{tail}{chr(0x4E00 + number)}" for number, tail in enumerate(TAILS * 2)])
    train(corpus, models, city, progress=False)
    rows = [
        f'{{"text": "{head}，{tail}{chr(0x4E00 + number)}", "label": "13河涌"}}'
        for heads in MATTERS.values() for number, (head, tail) in enumerate(itertools.product(heads, TAILS * 4))
    ]
    outcome = taught(_read(Path("tickets.jsonl"), rows), corpus, models, tmp_path / "out", city)
    assert outcome.match.new_right > outcome.match.present_right
    assert not outcome.match.installed
    assert "下降超过0.01" in outcome.match.reason


def test_a_city_whose_categories_are_all_its_own_learns_them_from_its_tickets(
    corpus: Path, present: Path, city: City, tmp_path: Path
) -> None:
    names = {"施工噪声": "夜施工", "河涌": "水体", "违建": "乱搭"}
    labels = [msgspec.structs.replace(one, l2=names.get(one.l2, f"{one.l2}甲")) for one in city.categories]
    own = msgspec.structs.replace(city, categories=tuple(labels))
    tickets = made_up(330)
    named = [msgspec.structs.replace(one, l2=names[one.l2]) for one in tickets.examples]
    outcome = taught(tickets._replace(examples=named), corpus, present, tmp_path / "out", own)
    assert outcome.match.installed
    assert outcome.right > 0.9


def test_an_encoder_is_not_lost_unasked_and_the_comparison_without_one_is_fair(
    corpus: Path, city: City, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="--encoder own"):
        taught(made_up(330), corpus, Path("models"), tmp_path / "one", city)
    assert list((tmp_path / "one").iterdir()) == [], "told before anything is trained"
    (tmp_path / "two").mkdir()
    outcome = train_city(
        made_up(330), corpus, Path("models"), tmp_path / "two", city, title="试", keep=True, progress=False
    )
    assert not outcome.match.installed
    assert "都不用编码器比较" in outcome.match.reason


FIGURES = {
    "emergency_raised_at_all": 0.9956, "emergency_recall": 0.9365, "false_alarms_hard_negatives": 0.0281,
    "false_alarms_ordinary": 0.0077, "l2_accuracy": 0.8099, "dispatch_precision": 0.9603,
}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"emergency_raised_at_all": 0.9891}, []),
        ({"emergency_raised_at_all": 0.98}, ["发现的紧急情况下降超过0.005"]),
        ({"emergency_recall": 0.93}, []), ({"emergency_recall": 0.92}, ["直接判为紧急的紧急情况下降超过0.01"]),
        ({"false_alarms_hard_negatives": 0.0}, []),
        ({"false_alarms_hard_negatives": 0.05}, ["易误判文本的误报上升超过0.01"]),
        ({"false_alarms_ordinary": 0.0107}, []), ({"false_alarms_ordinary": 0.02}, ["普通文本的误报上升超过0.005"]),
        ({"l2_accuracy": 0.79, "dispatch_precision": 0.94}, ["事项正确率下降超过0.01", "自动派单正确率下降超过0.01"]),
    ],
)
def test_what_is_held_may_get_worse_by_what_chance_does(changed: dict[str, float], told: list[str]) -> None:
    assert worse(FIGURES, FIGURES | changed, corrections=True) == told
    asked_less = [one for one in told if "自动派单" not in one]
    assert worse(FIGURES, FIGURES | changed, corrections=True, precision=0.9) == asked_less
    only_alarms = [one for one in told if "正确率" not in one]
    assert worse(FIGURES, FIGURES | changed, corrections=False) == only_alarms


def test_too_few_tickets_are_refused(corpus: Path, city: City, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="至少需要"):
        taught(made_up(60), corpus, Path("models"), tmp_path / "out", city)


@pytest.fixture
def another(city: City, tmp_path: Path) -> Path:
    """Another model of the same city."""
    corpus, models = tmp_path / "another_corpus", tmp_path / "another"
    corpus.mkdir()
    write_corpus(corpus, TAILS[:6])
    train(corpus, models, city, progress=False)
    return models


def test_installing_takes_away_what_the_new_model_lacks(present: Path, another: Path) -> None:
    shutil.copyfile(Path("models/encoder.json"), present / "encoder.json")  # beside another model: it is not asked
    had, has = load_linear(present).card.version, load_linear(another).card.version
    install(another, present)
    assert sorted(path.name for path in present.iterdir()) == ["README.md", *LINEAR, PREVIOUS]
    assert sorted(path.name for path in (present / PREVIOUS).iterdir()) == ["README.md", "encoder.json", *LINEAR]
    assert (load_linear(present).card.version, load_linear(present / PREVIOUS).card.version) == (has, had)


@pytest.mark.parametrize("name", LINEAR)
def test_half_a_model_is_no_model_and_never_the_previous_one(name: str, present: Path, another: Path) -> None:
    """As a kill or a full disk leaves it between two files; both models have the labels of the city."""
    has = load_linear(another).card.version
    install(another, present)
    had = load_linear(present / PREVIOUS).card.version
    shutil.copyfile(present / PREVIOUS / name, present / name)
    with pytest.raises(InvalidInput, match="不是同一次训练"):
        load_linear(present)
    install(another, present)
    assert (load_linear(present).card.version, load_linear(present / PREVIOUS).card.version) == (has, had)


def test_a_model_older_than_digests_loads_and_that_is_told_once(
    present: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "log", structlog.get_logger())  # one that no test before has bound
    card = load_linear(present).card
    (present / "linear.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(card, weights="")))
    with capture_logs() as told:
        assert load_linear(present).card.version == load_linear(present).card.version == card.version
    assert [one["event"] for one in told] == ["model_without_digest"]


def test_what_users_wrote_cannot_break_the_page() -> None:
    answers = [Answer("<script>alert(1)</script>" * 20, "<b>", "03路灯", 0.9), Answer("x", "03路灯", "03路灯", 1.0)]
    page = report("<i>", answers, [Point(0, 0.1), Point(10, 0.9)], Match(30, 2, 1, False, "<u>"), ["<s>"])
    for wrong in ("<script>", "<b></td>", "<i>", "<u>", "<s>"):
        assert wrong not in page
    assert "未安装" in page
    assert "…" in page


def test_pictures_hold_what_they_are_given() -> None:
    assert confusion({("a", "a"): 3, ("a", "b"): 1}, ["a", "b"]).count("<title>") == 2
    assert reliability(bins_of([0.9, 0.95, 0.1], [True, False, False])).count("<title>") == 2
    assert curve([Point(0, 0.5), Point(100, 0.8)]).count("<circle") == 2
    assert curve([]).startswith("<svg")
