"""Read a config file with its overrides, name every mistake at once, write one with comments."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from presstag.corpus.files import read_text
from presstag.errors import ConfigError, DataError
from presstag.train.config import (
    CHOICES,
    KEY,
    RANGE,
    SEARCHABLE,
    UNKNOWN_SETTING,
    Config,
    Range,
    Section,
)

Path_ = tuple[str | int, ...]
_SEARCH = "search"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, but 1e-5 is a number and a repeated key an error."""


class _Dumper(yaml.SafeDumper):
    """What quotes the words that `_Loader` would take for numbers."""


for _kind in (_Loader, _Dumper):
    _kind.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$"),
        list("-+0123456789"),
    )


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key)
        if not isinstance(name, Hashable):
            break  # construct_mapping says so, with the line
        if name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name} stands twice", key.start_mark
            )
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file.

    Args:
        path: the YAML file.
        overrides: `section.key=value`, the value in YAML; they win over the file.

    Raises:
        ConfigError: with every mistake, if there is one.
    """
    path = Path(path)
    try:
        text = read_text(path)
    except DataError as error:
        raise ConfigError(error.where, error.found, expected=error.expected, do=error.do) from None
    raw, node = _parse(text, str(path))
    mistakes: list[str] = []
    for override in overrides:
        _apply(raw, override, mistakes)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        lines = dict(_lines(node))
        mistakes += [_explain(detail, lines, str(path), overrides) for detail in error.errors()]
    if mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise ConfigError(
            str(path),
            count + "".join(f"\n  - {m}" for m in mistakes),
            do="presstag config new prints a starting file in which each setting is explained.",
        )
    return config


def _parse(text: str, source: str) -> tuple[dict[str, Any], yaml.Node | None]:
    try:
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        raise ConfigError(where, f"not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(source, f"not YAML: {error}".replace("\n", " ")) from None
    except ValueError as error:  # PyYAML lets a date like 2024-13-45 through to datetime
        raise ConfigError(source, f"a value that YAML cannot read: {error}") from None
    if not isinstance(raw, dict):
        found = "an empty file" if raw is None else f"a {type(raw).__name__}"
        raise ConfigError(source, found, expected="sections: name, data, model, training, …")
    return raw, node


def _apply(raw: dict[str, Any], override: str, mistakes: list[str]) -> None:
    keys, equals, value = override.partition("=")
    # What a search tries stands under dotted keys.
    parts = keys.split(".", 1) if keys.startswith(f"{_SEARCH}.") else keys.split(".")
    if not equals or not all(parts):
        mistakes.append(f"override {override!r}: expected section.key=value")
        return
    try:
        parsed = yaml.load(value, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError):
        mistakes.append(f"override {override!r}: the value is not YAML")
        return
    section: Any = raw
    for part in parts[:-1]:
        if section.get(part) is None:
            section[part] = {}
        section = section[part]
        if not isinstance(section, dict):
            mistakes.append(f"override {override!r}: {part} is no section")
            return
    section[parts[-1]] = parsed


def _lines(node: yaml.Node | None, path: Path_ = ()) -> Iterator[tuple[Path_, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield (*path, i), value.start_mark.line + 1
            yield from _lines(value, (*path, i))


def _explain(
    detail: ErrorDetails, lines: Mapping[Path_, int], source: str, overrides: Sequence[str]
) -> str:
    loc: Path_ = detail["loc"]
    if loc[0] == _SEARCH:
        loc = tuple(part for part in loc if part not in {KEY, RANGE, CHOICES})
    key = ".".join(map(str, loc))
    if any(o.partition("=")[0] == key for o in overrides):
        where = f"override {key}"
    else:
        line = next((lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
        where = f"{source}:{line}: {key}" if line else f"{source}: {key}"
    given = detail["input"]
    if detail["type"] in {"extra_forbidden", UNKNOWN_SETTING}:
        return f"{where}: unknown key{_suggest(loc)}"
    if detail["type"] == "missing":
        return f"{where}: missing"
    message = detail["msg"].removeprefix("Value error, ")
    if isinstance(given, bool) and "string" in message:
        message += '; YAML reads yes, no, on and off as true and false: write it in quotes, "no"'
    shown = "" if isinstance(given, dict) else f" (found {given!r})"
    return f"{where}: {message[0].lower()}{message[1:]}{shown}"


def _suggest(loc: Path_) -> str:
    fields = _known(loc[:-1])
    key = str(loc[-1])
    section = loc[:-1]
    here = [k for k, p in fields.items() if p == section]
    near = difflib.get_close_matches(key, here, n=1) or difflib.get_close_matches(key, fields, n=1)
    if near:
        dotted = ".".join(map(str, (*fields[near[0]], near[0])))
        return f"; did you mean {near[0]}?" if near[0] in here else f"; did you mean {dotted}?"
    return f"; known here: {', '.join(here)}" if here else ""


def _known(section: Path_) -> dict[str, Path_]:
    """Each key that a section may have, and those of the others, with their section."""
    if section[:1] != (_SEARCH,):
        return {key: path for path, key in _fields(Config)}
    return dict.fromkeys(SEARCHABLE if len(section) == 1 else Range.model_fields, section)


def _fields(model: type[BaseModel], path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    for name, field in model.model_fields.items():
        yield path, name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _fields(field.annotation, (*path, name))


def to_yaml(config: Config) -> str:
    """Write a whole config with the description of every setting above it."""
    return "\n".join(_render(config, "")) + "\n"


def _render(section: Section, indent: str) -> Iterable[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield ""
            yield from _comment((type(value).__doc__ or "").splitlines()[0], indent)
            yield f"{indent}{name}:"
            yield from _render(value, indent + "  ")
        elif name == _SEARCH:
            yield from _render_search(value, field.description or "")
        else:
            yield from _comment(field.description or "", indent)
            yield f"{indent}{name}: {write_value(value)}"


def _render_search(
    space: Mapping[str, Range | list[Any]] | None, description: str
) -> Iterable[str]:
    """Most runs are no search: the section stands only where it was given."""
    if space is None:
        return
    yield ""
    yield from _comment(description, "")
    yield f"{_SEARCH}:"
    for key, tried in space.items():
        yield f"  {key}: {write_value(tried.model_dump() if isinstance(tried, Range) else tried)}"


def _comment(text: str, indent: str) -> Iterable[str]:
    return [f"{indent}# {text}"]


def write_value(value: Any) -> str:
    """Write a setting's value in YAML, on one line, as files and overrides have it."""
    dumped: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, width=10_000, allow_unicode=True
    )
    return dumped.removesuffix("\n").removesuffix("\n...")
