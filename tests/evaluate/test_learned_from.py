from __future__ import annotations

from pathlib import Path

from presstag.corpus.files import digest_corpus
from presstag.evaluate.learned_from import find_train


def info(path: Path, digest: str) -> dict[str, object]:
    config = {"data": {"train": str(path)}}
    return {"provenance": {"config": config, "data": {"train": digest}}}


def test_the_file_is_found_if_it_is_the_one_that_was_learned_from(tmp_path: Path) -> None:
    """By name and digest; or else it is said why not."""
    path = tmp_path / "train.json"
    assert f"{path}, which the model was trained on, is not here" == find_train(info(path, "0"))
    path.write_text("[]", encoding="utf-8")
    assert path == find_train(info(path, digest_corpus(path)))
    assert f"{path} is no longer the file that the model was trained on" == (
        find_train(info(path, "0"))
    )


def test_a_model_may_not_say_what_it_learned_from() -> None:
    """One that presstag did not train."""
    expected = "the model does not say what it was trained on"
    assert [expected] * 2 == [find_train({}), find_train({"provenance": {}})]
