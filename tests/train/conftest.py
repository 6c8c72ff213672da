"""What the tests of training share: the learned model, packed without quantisation."""

from __future__ import annotations

from pathlib import Path

import pytest

from presstag.corpus import read_corpus
from presstag.spans import Article
from presstag.train.config import ExportSection
from presstag.train.export import Parity, export_checkpoint


@pytest.fixture(scope="session")
def dev(tiny_data: Path) -> list[Article]:
    """The articles of the dev split."""
    return list(read_corpus(tiny_data / "dev.json").articles)


@pytest.fixture(scope="session")
def packed_fp32(
    learned_model: Path, dev: list[Article], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Parity]:
    """The folder of the packed model, and how it compares with its checkpoint."""
    folder = tmp_path_factory.mktemp("packed")
    parity, _ = export_checkpoint(
        learned_model / "checkpoint",
        folder,
        name="learned",
        section=ExportSection(precision="fp32", max_f1_loss=0.0),
        train=[],
        dev=dev,
        splits={"dev": dev},
    )
    return folder, parity
