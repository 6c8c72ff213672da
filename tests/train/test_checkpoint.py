from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from presstag import ModelError, load
from presstag.spans import Article
from presstag.train.checkpoint import load_checkpoint, read_checkpoint, read_record, torch_forward
from presstag.train.export import Parity


@pytest.fixture
def checkpoint(learned_model: Path, tmp_path: Path) -> Path:
    """A copy of the learned model's checkpoint, to be spoilt."""
    return Path(shutil.copytree(learned_model / "checkpoint", tmp_path / "checkpoint"))


@pytest.fixture
def foreign(checkpoint: Path) -> Path:
    """The same as someone else's: nothing in it tells of presstag."""
    (checkpoint / "run.json").unlink()
    (checkpoint / "config.yaml").unlink()
    return checkpoint


def relabel(checkpoint: Path, tags: list[str]) -> None:
    path = checkpoint / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["id2label"] = {str(i): tag for i, tag in enumerate(tags)}
    config["label2id"] = {tag: i for i, tag in enumerate(tags)}
    path.write_text(json.dumps(config), encoding="utf-8")


def test_a_checkpoint_and_its_packed_form_agree(
    learned_model: Path, packed_fp32: tuple[Path, Parity], dev: list[Article]
) -> None:
    """The same spans with the same scores, from torch as from onnxruntime."""
    packed, checkpoint = load(packed_fp32[0]), load_checkpoint(learned_model / "checkpoint")
    texts = [a.text for a in dev] + ["\n\n".join(a.text for a in dev * 5)]
    found = 0
    for text in texts:
        one, other = checkpoint(text), packed(text)
        assert [s.key for s in one] == [s.key for s in other]
        assert [s.score for s in one] == pytest.approx([s.score for s in other], abs=1e-4)
        found += len(one)
    assert found > 10


def test_a_checkpoint_does_the_same_alone_and_in_a_batch(
    learned_model: Path, dev: list[Article]
) -> None:
    """Padding and neighbours do not change what is found."""
    tagger = load_checkpoint(learned_model / "checkpoint")
    texts = [a.text for a in dev * 3]
    assert [[s.key for s in tagger(text)] for text in texts] == [
        [s.key for s in spans] for spans in tagger.pipe(texts)
    ]


def test_a_checkpoint_knows_its_run(learned_model: Path) -> None:
    """Labels, and the record of the run in `info`."""
    folder = learned_model / "checkpoint"
    tagger = load_checkpoint(folder)
    assert ("DONOR", "SYSTEM") == tagger.labels
    assert read_record(folder) == tagger.info["provenance"]
    assert "learned" == learned_model.name
    assert 24 == tagger.info["provenance"]["config"]["model"]["window"]


def test_a_foreign_checkpoint_in_bio_order_tags_articles_of_any_length(
    foreign: Path, dev: list[Article]
) -> None:
    """Its window is as long as it reads: 64 tokens here, though the default is 128."""
    text = "\n\n".join(a.text for a in dev * 5)
    spans = load_checkpoint(foreign)(text)
    assert any(s.start > len(text) / 2 for s in spans)
    assert {} == read_record(foreign)


@pytest.mark.parametrize(
    "tags",
    [
        ["O", "I-DONOR", "B-DONOR", "B-SYSTEM", "I-SYSTEM"],
        ["B-DONOR", "I-DONOR", "B-SYSTEM", "I-SYSTEM", "O"],
        ["O", "B-DONOR", "B-SYSTEM", "I-DONOR", "I-SYSTEM"],
        ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4"],
        ["O", "DONOR", "SYSTEM", "X", "Y"],
    ],
)
def test_a_foreign_checkpoint_in_another_order_is_refused(tags: list[str], foreign: Path) -> None:
    """Its tags would be read as others: they are listed, and what they should be."""
    relabel(foreign, tags)
    with pytest.raises(ModelError) as caught:
        load_checkpoint(foreign)
    assert str(foreign / "config.json") == caught.value.where
    assert str(tags) in caught.value.found
    assert "O, then B- and I- of each label in turn" == caught.value.expected


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_checkpoint_without_a_file_is_refused(name: str, checkpoint: Path) -> None:
    """The missing file is named."""
    (checkpoint / name).unlink()
    with pytest.raises(ModelError, match=f"no {name} in it"):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "run.json"])
def test_a_damaged_checkpoint_is_refused(name: str, checkpoint: Path) -> None:
    """Half a file is a `ModelError`, whichever it is."""
    content = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=str(checkpoint)):
        load_checkpoint(checkpoint)


@pytest.mark.parametrize("training", [True, False])
def test_scoring_leaves_a_model_as_it_was(
    *,
    training: bool,
    learned_model: Path,
) -> None:
    """Dropout is off while tagging and as before after it."""
    model, tokenizer = read_checkpoint(learned_model / "checkpoint")
    model.train(training)
    batch = _batch(tokenizer)
    forward = torch_forward(model)
    assert np.array_equal(forward(batch), forward(batch))
    assert training is model.training


def test_bf16_scores_are_near_those_of_fp32(learned_model: Path) -> None:
    """Half the width, nearly the same figures, and fp32 to go on with."""
    model, tokenizer = read_checkpoint(learned_model / "checkpoint")
    batch = _batch(tokenizer)
    exact, narrow = torch_forward(model)(batch), torch_forward(model, precision="bf16")(batch)
    assert np.float32 == narrow.dtype
    assert 0 < np.abs(exact - narrow).max() < 0.2
    assert torch.float32 == model.dtype


def _batch(tokenizer: object) -> object:
    from presstag.tokens import ArticleTokenizer
    from presstag.windows import Window

    assert isinstance(tokenizer, ArticleTokenizer)
    tokens = tokenizer.encode(["Norway pays for tanks."])[0]
    size = len(tokens.ids)
    return tokenizer.batch([(tokens, Window(0, size, 0, size))])
