"""The floors of CONTRIBUTING.md: who may import what, and what the light floors do without.

Imports are read from the sources, those inside functions included.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import presstag

PACKAGE = Path(presstag.__file__).parent
ROOT = PACKAGE.parents[1]

# The first name below presstag; "" is presstag itself, which gives what floors 1 and 2 have.
FLOORS = {
    "errors": 1, "spans": 1, "words": 1, "tags": 1, "windows": 1, "writing": 1, "colours": 1,
    "corpus": 1, "installed": 1,
    "": 2, "tokens": 2, "tagger": 2, "bundle": 2, "loading": 2, "queue": 2,
    "wheel": 2, "network": 2,
    "train": 3, "evaluate": 3, "labelstudio": 3, "serve": 3, "spacy_component": 3,
    "cli": 4,
}  # fmt: skip
HEAVY = {
    "torch",
    "transformers",
    "datasets",
    "fastapi",
    "httpx",
    "huggingface_hub",
    "jinja2",
    "label_studio_sdk",
    "matplotlib",
    "nervaluate",
    "safetensors",
    "seqeval",
    "spacy",
    "onnx",
    "optuna",
    "pydantic",
    "pydantic_core",
    "sqlalchemy",
    "starlette",
    "trafilatura",
    "uvicorn",
    "yaml",
}
LIGHT = {"numpy", "tokenizers", "onnxruntime"}
SCREEN = {"rich", "typer"}
FOREIGN = {1: set[str](), 2: LIGHT, 3: LIGHT | HEAVY, 4: LIGHT | HEAVY | SCREEN}


@dataclass(frozen=True)
class Import:
    """Module `source` imports module `target`; `lazy` inside a function or for types only."""

    source: str
    target: str
    lazy: bool


def modules() -> dict[str, Path]:
    """Every module of the package by its full name."""
    found: dict[str, Path] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, source: str) -> list[Import]:
    """What a module imports, at its top and inside its functions."""
    return list(_walk(name, ast.parse(source), lazy=False))


def _walk(name: str, node: ast.AST, *, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(name, alias.name, lazy) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, f"{name} imports {child.module} by dots"
            for alias in child.names:
                below = f"{child.module}.{alias.name}"
                yield Import(name, below if below in MODULES else str(child.module), lazy)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from _walk(name, child, lazy=lazy or inside or for_types)


MODULES = modules()
IMPORTS = [i for name, path in MODULES.items() for i in imports(name, path.read_text("utf-8"))]


def room(module: str) -> str:
    """The first name below presstag."""
    return module.partition(".")[2].partition(".")[0]


def floor(module: str) -> int:
    """Which floor a module is on."""
    return FLOORS[room(module)]


def foreign(target: str) -> str | None:
    """The package that an import brings, unless it is Python's own or ours."""
    top = target.partition(".")[0]
    return None if top in sys.stdlib_module_names or top == "presstag" else top


def ours(found: Import) -> bool:
    """Whether an import stays within the package."""
    return found.target.partition(".")[0] == "presstag"


def test_imports_are_seen_wherever_they_stand() -> None:
    """The reader of imports finds them at the top, in functions, methods, conditions, for types."""
    source = """
import os.path, torch
from presstag.corpus import files, read_corpus
if TYPE_CHECKING:
    import yaml
try:
    import numpy as np
except ImportError: pass
class A:
    def method(self):
        if self: from rich.text import Text
"""
    expected = [
        ("os.path", False),
        ("torch", False),
        ("presstag.corpus.files", False),
        ("presstag.corpus", False),
        ("yaml", True),
        ("numpy", False),
        ("rich.text", True),
    ]
    assert expected == [(i.target, i.lazy) for i in imports("a", source)]


def test_every_module_has_a_floor() -> None:
    """A new module is given its floor here and in CONTRIBUTING.md; none that is gone stays."""
    assert set(FLOORS) == {room(name) for name in MODULES}
    written = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [] == [name for name in FLOORS if name and f"`{name}" not in written]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_its_own_floor_or_lower_ones(name: str) -> None:
    """Inside functions too: nothing light leads to something heavy."""
    above = [i for i in IMPORTS if i.source == name and ours(i) and floor(i.target) > floor(name)]
    assert [] == above


@pytest.mark.parametrize("name", MODULES)
def test_a_module_brings_only_the_packages_of_its_floor(name: str) -> None:
    """Floor 1 the standard library only; rich and typer are of the command line alone."""
    brought = {package for i in IMPORTS if i.source == name and (package := foreign(i.target))}
    assert set() == brought - FOREIGN[floor(name)]


def test_each_allowed_package_is_used() -> None:
    """A package that nothing imports any more is taken off the list of its floor."""
    assert FOREIGN[4] == {package for i in IMPORTS if (package := foreign(i.target))}


def test_commands_import_the_heavy_floor_inside_functions() -> None:
    """`presstag --help` waits for nothing that only one command needs."""
    at_once = [i for i in IMPORTS if floor(i.source) == 4 and not i.lazy]
    assert [] == [i for i in at_once if ours(i) and floor(i.target) == 3]
    assert [] == [i for i in at_once if foreign(i.target) in HEAVY]


def test_metrics_need_no_package() -> None:
    """Counting spans is arithmetic: it brings no package and lies on floor 1 but for its room."""
    found = [i for i in IMPORTS if i.source == "presstag.evaluate.metrics"]
    assert [] == [i for i in found if foreign(i.target) or (ours(i) and floor(i.target) > 1)]


def test_no_modules_import_each_other() -> None:
    """Imports make no circle, not even through functions."""
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for i in IMPORTS:
        if ours(i):
            graph[i.source].add(i.target)
    assert len(MODULES) == len(list(TopologicalSorter(graph).static_order()))


@pytest.mark.parametrize("name", [name for name in MODULES if floor(name) < 4])
def test_only_the_command_line_prints_and_exits(name: str) -> None:
    """No print, no exit, no writing to the terminal below floor 4."""
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    used |= {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    banned = {"print", "input", "exit", "quit", "SystemExit", "os._exit"}
    banned |= {f"sys.{what}" for what in ("exit", "stdout", "stderr", "stdin", "argv")}
    assert set() == banned & used


@pytest.mark.parametrize("name", [name for name in MODULES if floor(name) < 3])
def test_importing_a_light_module_does_nothing_but_define(name: str) -> None:
    """At the top of a module stand imports, definitions, values and docstrings."""
    allowed = (
        ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
    )
    done = [
        ast.unparse(statement)
        for statement in ast.parse(MODULES[name].read_text("utf-8")).body
        if not isinstance(statement, allowed)
        and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
    assert [] == done


BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Block())
"""

# typer itself checks arguments with pydantic, so that a command needs it.
HEAVY_BESIDE_TYPER = HEAVY - {"pydantic", "pydantic_core"}


def run_without(blocked: set[str], code: str, *arguments: str, text: str = "") -> str:
    """Run Python code where some packages cannot be imported; what it wrote."""
    done = start_without(blocked, code, *arguments, text=text)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def start_without(
    blocked: set[str], code: str, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"BLOCKED = {sorted(blocked)}{BLOCK}{code}", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "100"},
    )


COMMAND = "import presstag.cli\nsys.argv[0] = 'presstag'\npresstag.cli.main()"


def test_light_modules_and_commands_import_without_heavy_packages() -> None:
    """Floors 1 and 2 and every module of the command line, each in its turn; training does not."""
    light = [name for name in MODULES if floor(name) != 3 and not name.endswith("__main__")]
    code = f"""
import importlib
for name in {light}:
    importlib.import_module(name)
try:
    import presstag.train.export
except ModuleNotFoundError as error:
    print(len({light}), error.name)
"""
    assert f"{len(light)} onnx\n" == run_without(HEAVY, code)


def test_help_works_without_heavy_packages() -> None:
    """All commands are listed where only presstag itself is installed."""
    shown = run_without(HEAVY_BESIDE_TYPER, COMMAND, "--help")
    commands = ["train", "evaluate", "extract", "check", "split", "convert", "export", "config"]
    assert [] == [command for command in commands if command not in shown]


def test_extract_works_without_heavy_packages(tiny_model: Path) -> None:
    """A packed model tags an article from standard input."""
    arguments = ("extract", str(tiny_model), "--json")
    text = "Norway gave “tanks” 😀."
    written = json.loads(run_without(HEAVY_BESIDE_TYPER, COMMAND, *arguments, text=text))
    expected = [span.to_dict() for span in presstag.load(tiny_model)(text)]
    assert {"id": "-", "spans": expected} == written


@pytest.mark.parametrize("command", ["train", "evaluate", "suspects", "compare", "export"])
def test_commands_that_need_more_say_what_is_missing(command: str, tmp_path: Path) -> None:
    """Where only presstag itself is installed, training is a message and exit code 2."""
    (tmp_path / "a").mkdir()
    needed = {"train": 1, "suspects": 1, "compare": 3}.get(command, 2)
    done = start_without(HEAVY_BESIDE_TYPER, COMMAND, command, *[str(tmp_path / "a")] * needed)
    assert (2, "") == (done.returncode, done.stdout)
    assert "is missing" in done.stderr
    assert "pip install 'presstag[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_label_says_which_extra_is_missing() -> None:
    """Where Label Studio's client is not installed, the message names its own extra."""
    arguments = ("label", "new", "--project", "abc", "--labels", "A")
    done = start_without(HEAVY_BESIDE_TYPER, COMMAND, *arguments)
    assert (2, "") == (done.returncode, done.stdout)
    assert "pip install 'presstag[label-studio]'" in done.stderr


def test_the_wheel_holds_the_package_only(tmp_path: Path) -> None:
    """presstag/ with every module, py.typed and the report's page; its dist-info; nothing else."""
    reason = "hatchling, of the dev group, builds the wheel"
    wheel = pytest.importorskip("hatchling.builders.wheel", reason=reason)
    (built,) = wheel.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(built).namelist()
    about = f"presstag-{presstag.__version__}.dist-info"
    assert {"presstag", about} == {name.partition("/")[0] for name in names}
    expected = {path.relative_to(PACKAGE.parent).as_posix() for path in modules().values()}
    expected |= {f"presstag/evaluate/report.{kind}" for kind in ("html.j2", "css", "js")}
    expected.add("presstag/serve/page.html")
    assert expected | {"presstag/py.typed"} == {n for n in names if n.startswith("presstag/")}
    assert {f"{about}/METADATA", f"{about}/entry_points.txt"} <= set(names)
