"""`presstag label serve`: the ML backend that Label Studio asks for suggestions."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from presstag.cli.evaluate import open_model
from presstag.cli.label_options import TokenOption, UrlOption
from presstag.cli.listening import answer, is_loopback, listen, web_address
from presstag.cli.screen import err, out
from presstag.errors import InputError

if TYPE_CHECKING:
    from presstag.labelstudio.retrain import Retrainer
    from presstag.labelstudio.served import Served


# Without it, Label Studio takes no address of its own machine for an ML backend.
_ALLOW = "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false"


def serve_command(
    model: Annotated[Path, typer.Argument(help="a model's folder, or an installed model's name")],
    *,
    host: Annotated[
        str, typer.Option(help="address to listen on; others than loopback need --secret")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 9090,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="PRESSTAG_SECRET",
            show_envvar=True,
            show_default=False,
            help="password that requests must bring (Basic Authentication, user presstag)",
        ),
    ] = None,
    retrain: Annotated[
        Path | None,
        typer.Option(metavar="CONFIG", help="train with new annotations, as this YAML file says"),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="for --retrain: the project's title, or its number"),
    ] = None,
    after: Annotated[
        int, typer.Option(min=1, help="for --retrain: how many annotated tasks make a training due")
    ] = 50,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Suggest spans to Label Studio, as an ML backend; with --retrain, learn from annotations.

    Stop it with Ctrl-C; that stops a training, too.
    """
    _check(host, secret, retrain, project)
    with err.status("loading"):
        from presstag.labelstudio.backend import make_backend
        from presstag.labelstudio.served import Served

        served = Served(open_model(model))
        retrainer = None
        if retrain is not None and project is not None:
            retrainer = _retrainer(served, retrain, project, after=after, url=url, token=token)
        app = make_backend(served, secret=secret or None, retrainer=retrainer)
    listening = listen(host, port)
    shown = web_address(host, port)
    out.print(f"{model} answers at {shown} as {served.model.version}")
    sign_in = ", Basic Authentication, user presstag, the secret as password" if secret else ""
    out.print(f"next: in Label Studio, Settings, Model, Connect Model: {shown}{sign_in}")
    if is_loopback(host):
        out.print(f"it connects to a loopback address only where it runs with {_ALLOW}")
    # Only presstag's own words: other libraries might log addresses with tokens in them.
    logging.getLogger("presstag").setLevel(logging.INFO)
    answer(app, listening, patience=10)


def _check(host: str, secret: str | None, retrain: Path | None, project: str | None) -> None:
    if not secret and not is_loopback(host):
        raise InputError(
            "--host",
            f"{host} can be reached from elsewhere, and there is no secret",
            do="give one with --secret or PRESSTAG_SECRET, or listen on 127.0.0.1.",
        )
    if secret and not (secret.isascii() and secret.isprintable()):
        found = "holds letters that Label Studio cannot send as a password"
        raise InputError("--secret", found, expected="ASCII letters, digits and signs")
    if (retrain is None) != (project is None):
        found = "without --project" if project is None else "without --retrain"
        given = "--retrain" if project is None else "--project"
        raise InputError(given, found, expected="both, or neither")


def _retrainer(
    served: Served, config: Path, name: str, *, after: int, url: str | None, token: str | None
) -> Retrainer:
    from presstag.corpus import Corpus
    from presstag.labelstudio.client import connect
    from presstag.labelstudio.interface import read_interface
    from presstag.labelstudio.pull import pull
    from presstag.labelstudio.retrain import Retrainer
    from presstag.train.configfile import read_config

    read_config(config)  # a mistake in it should not wait for the first training
    server = connect(url, token)
    found = server.find_project(name)
    read_interface(found.interface, where=f"project {found.title}")

    def read(path: Path) -> Corpus:
        return pull(server, server.find_project(name), path).corpus

    return Retrainer(config, project=found.id, after=after, pull=read, swap=served.swap)
