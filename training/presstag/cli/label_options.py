"""Options that every command with a Label Studio server has."""

from __future__ import annotations

from typing import Annotated

import typer

ProjectOption = Annotated[
    str, typer.Option("--project", metavar="NAME", help="a project's title, or its number")
]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="LABEL_STUDIO_URL", show_envvar=True, help="address of the server"
    ),
]
# Help names the variable and never shows what it holds.
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="LABEL_STUDIO_API_KEY",
        show_envvar=True,
        show_default=False,
        help="personal access token or legacy token; better kept in the variable",
    ),
]
