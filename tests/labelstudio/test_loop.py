"""The README's way from articles to a better model, typed as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TEXTS = [
    "Denmark sends two tanks to the north 😀.",
    "The café in Bergen gave drones, and nobody knew.",
    "Norway’s field kitchens arrived by rail on Tuesday evening.",
]


def commands() -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    lines = [line for b in blocks if "presstag label" in b for line in b.splitlines()]
    typed = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in typed if words[:1] == ["presstag"]]


@pytest.fixture
def desk(tmp_path: Path, tiny_model: Path, tiny_config: Path, tiny_data: Path) -> Path:
    """A folder with the files that the README speaks of: small ones."""
    shutil.copytree(tiny_model, tmp_path / "models" / "aid")
    shutil.copytree(tiny_data, tmp_path / "annotations" / "aid")
    (tmp_path / "configs").mkdir()
    shutil.copy(tiny_config, tmp_path / "configs" / "aid.yaml")
    (tmp_path / "articles").mkdir()
    for number, text in enumerate(TEXTS):
        (tmp_path / "articles" / f"{number}.txt").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_the_loop(desk: Path, server, presstag, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty project to suggestions of a second model; somebody annotates before `pull`."""
    monkeypatch.chdir(desk)
    asked = commands()
    assert ["new", "queue", "push", "pull", "push"] == [c[1] for c in asked if c[0] == "label"]
    for command in asked:
        if command[:2] == ["label", "pull"]:
            project = server.find_project("news")
            region = {"from_name": "label", "to_name": "text", "type": "labels"}
            value = {"start": 0, "end": 3, "labels": ["DONOR"]}
            for task in server.sdk.tasks.list(project=project.id):
                server.sdk.annotations.create(id=task.id, result=[{**region, "value": value}])
        ran = presstag(*command)
        assert (0, "") == (ran.code, ran.err if ran.code else ""), command
    predictions = server.sdk.predictions.list(project=project.id)
    server.sdk.projects.delete(project.id)
    assert (6, 2) == (len(predictions), len({p.model_version for p in predictions}))
