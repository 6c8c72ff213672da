"""`presstag label pull`: annotations from a project in Label Studio."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.label_options import ProjectOption, TokenOption, UrlOption
from presstag.cli.screen import err, out, printable, show_rejected

if TYPE_CHECKING:
    from presstag.labelstudio.pull import Pulled

_SHOWN = 10


def pull_command(
    *,
    project: ProjectOption,
    target: Annotated[
        Path | None,
        typer.Option("--out", help="file to write; default annotations/NAME/export.json"),
    ] = None,
    url: UrlOption = None,
    token: TokenOption = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Write what people annotated to a file, of all annotators, a task a line."""
    with err.status("loading"):
        from presstag.labelstudio.client import connect
        from presstag.labelstudio.pull import pull
        from presstag.writing import json_line

    with err.status("asking the server"):
        server = connect(url, token)
        found = server.find_project(project)
    folder = re.sub(r"[^\w.-]+", "-", found.title).strip("-.") or f"project-{found.id}"
    with err.status(f"exporting {printable(found.title)}"):
        pulled = pull(server, found, target or Path("annotations") / folder / "export.json")
    if json:
        sys.stdout.write(json_line(pulled.to_dict()) + "\n")
        return
    _show(pulled)


def _show(pulled: Pulled) -> None:
    from presstag.labelstudio.pull import findings_file, gone_file

    counts = pulled.counts
    out.print(
        f"{counts.annotated} of {counts.tasks} tasks are annotated, {counts.skipped} skipped, "
        f"{counts.untouched} have no annotation"
    )
    if counts.empty:
        out.print(f"annotations that say that there is nothing to mark: {counts.empty}")
    if counts.drafts:
        out.print(f"drafts, not submitted and so left out: {counts.drafts}")
    if counts.annotators:
        each = ", ".join(f"{who} {n}" for who, n in counts.annotators.items())
        out.print(f"annotations by {printable(each)}")
    changes = (len(pulled.new), len(pulled.changed), len(pulled.gone))
    if any(changes):
        out.print("since the last pull: {} new, {} changed, {} gone".format(*changes))
    if pulled.gone:
        out.print(f"gone, and kept in {gone_file(pulled.path)}: {_listed(pulled.gone)}")
    rejected = pulled.corpus.rejected
    show_rejected(rejected)
    if pulled.faults:
        repaired = len(pulled.faults) - len(rejected)
        listed = findings_file(pulled.path)
        out.print(f"the reader rejected {len(rejected)} and repaired {repaired}: {listed}")
    if not pulled.path.exists():
        out.print("nobody has annotated anything: nothing to write")
        return
    spans = sum(len(a.spans) for a in pulled.corpus.articles)
    done = "wrote" if pulled.written else "unchanged:"
    articles = f"{len(pulled.corpus.articles)} articles with {spans} spans"
    out.print(f"{done} {pulled.path}, {articles}")
    path = shlex.quote(str(pulled.path))
    passes = ([a for a in own if not a.ground_truth] for own in pulled.corpus.annotations.values())
    several = any(len(own) > 1 for own in passes)
    out.print(f"next: presstag check {path}" + (f", presstag agreement {path}" * several))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return printable(", ".join(names[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
