"""`presstag label new`: a project in Label Studio."""

from __future__ import annotations

import json as json_module
import shlex
from pathlib import Path
from typing import Annotated

import typer

from presstag.cli.label_options import TokenOption, UrlOption
from presstag.cli.screen import err, out
from presstag.errors import InputError


def new_command(
    *,
    project: Annotated[
        str, typer.Option(metavar="TITLE", help="title of the project, 3 characters or more")
    ],
    config: Annotated[
        Path | None, typer.Option(help="a run's YAML file, whose labels it gets")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="comma-separated, instead of --config")] = None,
    url: UrlOption = None,
    token: TokenOption = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Make a project in which the labels of a scheme can be marked."""
    with err.status("loading"):
        from presstag.labelstudio.client import connect
        from presstag.labelstudio.interface import labelling_interface

    interface = labelling_interface(_labels(config, labels))
    server = connect(url, token)
    made = server.new_project(project, interface)
    if json:
        shown = {"id": made.id, "title": made.title, "url": server.address(made)}
        out.print(json_module.dumps(shown, ensure_ascii=False))
        return
    out.print(f"made project {made.id}, {made.title}: {server.address(made)}")
    name = shlex.quote(made.title)
    out.print(f"next: presstag label push --project {name} ARTICLES")


def _labels(config: Path | None, labels: str | None) -> list[str]:
    if (config is None) == (labels is None):
        found = "neither is given" if config is None else "both are given"
        raise InputError(
            "--config or --labels", found, expected="one: a YAML file, or labels as in --labels A,B"
        )
    if config is not None:
        from presstag.train.configfile import read_config

        return read_config(config).data.labels
    named = [label.strip() for label in (labels or "").split(",")]
    twice = [label for i, label in enumerate(named) if label in named[:i]]
    if not all(named) or twice:
        found = f"{twice[0]} stands twice" if all(named) else f"a label of {labels!r} is empty"
        raise InputError("--labels", found, expected="labels that differ, as in A,B,C")
    return named
