"""`presstag label`: annotate in Label Studio, with a model that suggests."""

from __future__ import annotations

import typer

from presstag.cli.label_new import new_command
from presstag.cli.label_pull import pull_command
from presstag.cli.label_push import push_command
from presstag.cli.label_queue import queue_command
from presstag.cli.label_serve import serve_command

app = typer.Typer(
    help="Annotate in Label Studio: projects, suggestions, annotations, an ML backend.",
    no_args_is_help=True,
)
app.command("new")(new_command)
app.command("push")(push_command)
app.command("pull")(pull_command)
app.command("queue")(queue_command)
app.command("serve")(serve_command)
