"""The encoder from training to run time, tiny: our own from nothing, and a city's checkpoint made here."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from hotline.city import City, load_city
from hotline.errors import InvalidInput
from tests.triage.small import write_corpus
from triage.encoder import CARD, HEADS, NETWORK, TOKENIZER, Blend, load_blend
from triage.linear import load_linear
from triage.opinion import Use
from triage.pipeline import Pipeline
from triage.train import train

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("onnx")

from triage.encoder_fit import Shape  # noqa: E402
from triage.encoder_start import first_vectors  # noqa: E402
from triage.encoder_train import Effort, best_blend, spared, train_encoder  # noqa: E402
from triage.encoder_vocab import SPECIAL, own_tokenizer  # noqa: E402

TEXTS = ["路灯不亮", "自来水停了两天", "老板拖欠工资", "x" * 500, "😭", "着火了！", "1"]


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path("cities/441900"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def own(corpus: Path, city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own encoder, pre-trained and fine-tuned from nothing."""
    out = tmp_path_factory.mktemp("own")
    second = partial(train_encoder, shape=Shape(1, 64, 64, 32), effort=Effort(2, 2, 1e-3, 1e-3), progress=False)
    train(corpus, out, city, second=second, progress=False)
    return out


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT checkpoint as such things come: config.json, model.safetensors, vocab.txt."""
    folder = tmp_path_factory.mktemp("bert")
    words = [*SPECIAL, *sorted({one for text in TEXTS for one in text} | set("请处理多久能好，住户"))]
    (folder / "vocab.txt").write_text("\n".join(words), "utf-8")
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
    )
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def blend_in(folder: Path) -> Blend:
    blend = load_blend(folder, load_linear(folder))
    assert blend is not None
    return blend


@pytest.fixture(scope="module")
def brought(corpus: Path, city: City, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the city's checkpoint."""
    out = tmp_path_factory.mktemp("brought")
    second = partial(train_encoder, checkpoint=checkpoint, effort=Effort(0, 1, 1e-4, 1e-3), progress=False)
    train(corpus, out, city, second=second, progress=False)
    return out


@pytest.fixture(params=["own", "brought"])
def folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


def test_what_was_trained_answers_at_run_time(folder: Path, city: City) -> None:
    pipeline = Pipeline.load(city, folder)
    assert "+encoder-" in pipeline.version
    found = pipeline(TEXTS)
    assert {one.model for one in found} == {pipeline.version}
    assert Pipeline.load(city, folder, encoder=Use.OFF).version == load_linear(folder).card.version
    assert pipeline.version in (folder / "README.md").read_text("utf-8")


def test_probabilities_are_such_and_a_batch_is_the_same_as_one_by_one(folder: Path) -> None:
    blend = blend_in(folder)
    together = blend(TEXTS)
    for head, labels in zip(together[:3], blend.card.heads, strict=False):
        assert head.shape == (len(TEXTS), len(labels.labels))
        assert head.sum(axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)
    for row, text in enumerate(TEXTS):
        for alone, all_of_them in zip(blend([text]), together, strict=True):
            assert alone[0] == pytest.approx(all_of_them[row], abs=1e-6)
    assert blend([]).category.shape[0] == 0


def test_the_files_are_small_and_no_pickle(folder: Path) -> None:
    for name in (NETWORK, TOKENIZER, CARD):
        assert (folder / name).stat().st_size < 20_000_000
        assert not (folder / name).read_bytes().startswith(b"\x80")


def test_the_export_says_what_the_network_said(own: Path) -> None:
    """8-bit weights move probabilities a little, never far."""
    blend = blend_in(own)
    found = blend.encoder(["路灯不亮，请处理"])
    assert len(found.heads) == len(HEADS)
    assert all(np.exp(head).sum() == pytest.approx(1.0, abs=1e-4) for head in found.heads)
    assert found.seen == 1.0


def test_of_a_long_text_the_encoder_says_less(own: Path) -> None:
    blend = blend_in(own)
    text = "路灯不亮，请处理。" * 200
    heard = blend.encoder([text, "路灯"])
    assert heard.seen[0, 0] < 0.1
    assert heard.seen[1, 0] == 1.0
    alone = load_linear(own)([text])
    assert blend([text]).category == pytest.approx(alone.category, abs=0.1)


def test_texts_of_categories_that_the_city_lacks_teach_the_encoder_the_rest(
    corpus: Path, city: City, tmp_path: Path
) -> None:
    lacking = msgspec.structs.replace(city, categories=tuple(one for one in city.categories if one.l1 != "05"))
    second = partial(train_encoder, shape=Shape(1, 64, 64, 32), effort=Effort(1, 1, 1e-3, 1e-3), progress=False)
    train(corpus, tmp_path, lacking, second=second, progress=False)
    blend = blend_in(tmp_path)
    assert blend.card.heads[0].labels == tuple(one.l1 + one.l2 for one in lacking.categories)
    assert all(np.isfinite(head).all() for head in blend(TEXTS))


def test_an_encoder_beside_another_linear_model_is_left_out(own: Path, tmp_path: Path, city: City) -> None:
    for path in own.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / CARD).read_text("utf-8").replace('"beside": "linear-', '"beside": "linear-0')
    (tmp_path / CARD).write_text(text, "utf-8")
    assert load_blend(tmp_path, load_linear(tmp_path)) is None
    assert "encoder" not in Pipeline.load(city, tmp_path).version


@pytest.mark.parametrize("name", [NETWORK, TOKENIZER, CARD])
def test_a_torn_file_says_what_to_do(own: Path, tmp_path: Path, name: str) -> None:
    for path in own.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:200])
    with pytest.raises(InvalidInput, match="hotline train"):
        load_blend(tmp_path, load_linear(tmp_path))


@pytest.mark.parametrize("name", [NETWORK, TOKENIZER])
def test_a_file_of_another_encoder_is_not_taken_for_its(own: Path, brought: Path, tmp_path: Path, name: str) -> None:
    for path in own.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes((brought / name).read_bytes())
    with pytest.raises(InvalidInput, match="不是同一次训练"):
        load_blend(tmp_path, load_linear(tmp_path))


def test_a_folder_that_is_no_checkpoint_is_refused(corpus: Path, city: City, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    second = partial(train_encoder, checkpoint=tmp_path, progress=False)
    with pytest.raises(InvalidInput, match=r"config\.json"):
        train(corpus, tmp_path / "out", city, second=second, progress=False)


def test_words_and_unknown_characters_are_cut() -> None:
    tokenizer = own_tokenizer(["路灯，处理", "处理，路灯", "ABC 12"] * 20)
    assert tokenizer.encode("路灯 处理").tokens == ["[CLS]", "路灯", "处理", "[SEP]"]
    assert tokenizer.encode("灯路").tokens == ["[CLS]", "灯", "路", "[SEP]"]
    assert tokenizer.encode("龘").ids[1] == SPECIAL.index("[UNK]")
    assert tokenizer.encode("3a").ids == tokenizer.encode("7A").ids
    assert tokenizer.encode("").tokens == ["[CLS]", "[SEP]"]


def test_words_of_like_company_begin_near_each_other() -> None:
    """0 and 9 are the ends; 3 and 4 stand among the same tokens, 5 among others; 8 stands nowhere."""
    rows = [[0, 1, 3, 2, 9], [0, 1, 4, 2, 9], [0, 6, 5, 7, 9]] * 20
    vectors = first_vectors(rows, 10, 4)
    near, far = (float(vectors[3] @ vectors[other] / 1e-9) for other in (4, 5))
    assert near > far
    assert not vectors[[0, 8, 9]].any()
    assert (first_vectors(rows, 10, 4) == vectors).all()
    assert first_vectors([[0, 9]], 10, 4).shape == (10, 4)


def test_the_blend_listens_to_who_knows() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 300)
    good = np.log(np.eye(3)[truth] * 0.7 + 0.1)
    noise = np.log(rng.dirichlet(np.ones(3), 300))
    assert best_blend(good, noise, truth)[0] < 0.2
    assert best_blend(noise, good, truth)[0] > 0.8


def test_near_duplicates_of_what_is_fine_tuned_on_choose_nothing() -> None:
    category = np.arange(300) % 3
    groups = [f"g{row // 6}" for row in range(300)]
    seen, unseen = spared(category, groups)
    assert sorted([*seen, *unseen]) == list(range(300))
    assert len(unseen) == pytest.approx(30, abs=6)
    assert not {groups[row] for row in seen} & {groups[row] for row in unseen}


def test_without_groups_the_texts_are_split_as_ever() -> None:
    """The shipped model is made anew to the byte."""
    category = np.arange(300) % 3
    usual = next(StratifiedKFold(10, shuffle=True, random_state=12345).split(category, category))
    for found, expected in zip(spared(category, None), usual, strict=True):
        assert found.tolist() == expected.tolist()
