"""The command line: one module a command. Commands parse and print; the work is done elsewhere."""

from __future__ import annotations

import sys

import typer

from presstag.cli import (
    agreement,
    check,
    compare,
    config,
    convert,
    evaluate,
    export,
    extract,
    label,
    models,
    package,
    publish,
    reproduce,
    search,
    serve,
    split,
    suspects,
    train,
)
from presstag.cli.screen import show_error
from presstag.errors import InputError, PresstagError
from presstag.network import turn_telemetry_off

_LABEL_STUDIO = {"fastapi", "httpx", "label_studio_sdk", "starlette", "trafilatura", "uvicorn"}

app = typer.Typer(
    name="presstag",
    help="Fine-tune, judge and use token-classification models on annotated news articles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("train")(train.train_command)
app.command("search")(search.search_command)
app.command("evaluate")(evaluate.evaluate_command)
app.command("compare")(compare.compare_command)
app.command("extract")(extract.extract_command)
app.command("serve")(serve.serve_command)
app.command("check")(check.check_command)
app.command("agreement")(agreement.agreement_command)
app.command("split")(split.split_command)
app.command("convert")(convert.convert_command)
app.command("suspects")(suspects.suspects_command)
app.command("export")(export.export_command)
app.command("reproduce")(reproduce.reproduce_command)
app.command("publish")(publish.publish_command)
app.command("package")(package.package_command)
app.command("models")(models.models_command)
app.add_typer(label.app, name="label")
app.add_typer(config.app, name="config")


def main() -> None:
    """Run a command; a fault that the user can mend is a message and exit code 2."""
    turn_telemetry_off()
    try:
        app()
    except PresstagError as error:
        show_error(error)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "presstag":
            raise
        package = error.name.partition(".")[0]
        extra = "label-studio" if package in _LABEL_STUDIO else "train"
        found, do = f"the package {error.name} is missing", f"pip install 'presstag[{extra}]'"
        show_error(InputError("this command", found, do=do))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
