"""`presstag reproduce`: train a model again from its record and compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.progress import Screen
from presstag.cli.screen import err, out

if TYPE_CHECKING:
    from presstag.train.reproduce import Reproduction


def reproduce_command(
    model: Annotated[Path, typer.Argument(help="a model folder that training wrote")],
    *,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="go on though data, encoder or versions differ")
    ] = False,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="new folder; default is MODEL-again")
    ] = None,
) -> None:
    """Train a model again as its record says, and compare dev F1 and weights.

    Exits with 1 if dev F1 is not identical. On one processor, with the same versions, it is.
    """
    with err.status("loading torch and transformers"):
        from presstag.train.reproduce import reproduce

    folder = out_folder or model.with_name(f"{model.absolute().name}-again")
    with Screen() as screen:
        outcome = reproduce(model, folder, anyway=anyway, progress=screen)
    _report(outcome)
    raise typer.Exit(0 if outcome.same else 1)


def _report(outcome: Reproduction) -> None:
    for difference in outcome.differences:
        out.print(f"passed over: {difference}")
    for remark in outcome.remarks:
        out.print(f"other than recorded: {remark}")
    out.print(
        f"dev F1 is {100 * outcome.found_f1:.4f}, recorded {100 * outcome.expected_f1:.4f}: "
        + ("identical" if outcome.same else "not the same")
    )
    if outcome.weights is None:
        out.print("the recorded weights are not there to compare with")
    elif outcome.weights == 0:
        out.print("weights: identical to the bit")
    elif outcome.weights == float("inf"):
        out.print("weights: of other shapes or names")
    else:
        out.print(f"weights: they differ by up to {outcome.weights:.2g}")
    out.print(f"wrote {outcome.folder}: the new checkpoint; it is not packed")
