"""`presstag evaluate --html`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_evaluate_writes_a_page(
    tiny_model: Path, tiny_data: Path, tmp_path: Path, presstag: Callable[..., Any]
) -> None:
    """With the figures of the screen, the training curves and every article; it says where."""
    path = tmp_path / "pages" / "report.html"
    ran = presstag("evaluate", tiny_model, tiny_data / "test.json", "--html", path)
    assert (0, "") == (ran.code, ran.err)
    assert f"wrote {path}" in ran.out
    page = path.read_text(encoding="utf-8")
    assert 6 == page.count("<article ")
    assert f"<h1>{tiny_model}</h1>" in page
    assert 'id="training"' in page
    assert "F1 of a dictionary" in page
