"""What people annotated in a project, as a file whose changes can be followed.

    export.json             Label Studio's tasks, one a line
    export.findings.jsonl   what the reader repaired or rejected; no file where there is nothing
    export.gone.json        tasks of earlier pulls that nobody's annotation is left of

Written is every task that somebody annotated or skipped, in the order of their ids, with all
annotations and each region as it is. What changes without a person's doing (counts, the time of the
task, the number of its import, how long it took) is left out, so that the same annotations are the
same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from label_studio_sdk.core.api_error import ApiError

from presstag.corpus.files import BESIDE, read_text
from presstag.corpus.findings import Corpus, Finding
from presstag.corpus.labelstudio import read_tasks
from presstag.errors import DataError, InputError, ServerError
from presstag.labelstudio.client import Project, Server
from presstag.labelstudio.interface import read_interface
from presstag.labelstudio.rows import Key, Task, by_name, is_row, key_of, place, to_row, who
from presstag.writing import json_line, write_json_lines, write_json_list

_NOT_FOR_ALL = (403, 404)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a project holds.

    Attributes:
        tasks: how many it has.
        annotated: how many of them somebody annotated, be it with nothing.
        skipped: how many were only skipped; they are in the file.
        untouched: how many have no annotation; they are not.
        drafts: annotations begun and not submitted; they are not in the file.
        empty: annotations that say that nothing is in the text.
        annotators: how many annotations each has in the file, skipped tasks included.
    """

    tasks: int
    annotated: int
    skipped: int
    untouched: int
    drafts: int
    empty: int
    annotators: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought.

    Attributes:
        path: the file.
        written: whether anything had to be written; if not, all files are as they were.
        counts: what the project holds.
        new, changed, gone: ids of the tasks that differ from the file as it was.
        corpus: the file as the reader takes it, with all that it found.
    """

    path: Path
    written: bool
    counts: Counts
    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    corpus: Corpus

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What the reader repaired or rejected."""
        return tuple(f for f in self.corpus.findings if f.action != "noted")

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "path": str(self.path),
            "written": self.written,
            **asdict(self.counts),
            "spans": sum(len(a.spans) for a in self.corpus.articles),
            "new": list(self.new),
            "changed": list(self.changed),
            "gone": list(self.gone),
            "findings": [f.to_dict() for f in self.corpus.findings],
        }


def findings_file(path: Path) -> Path:
    """Where a pull lists what the reader repaired or rejected."""
    return path.with_name(path.stem + BESIDE[0])


def gone_file(path: Path) -> Path:
    """Where a pull keeps tasks that left the project, or lost all their annotations."""
    return path.with_name(path.stem + BESIDE[1])


def pull(server: Server, project: Project, path: str | Path) -> Pulled:
    """Write the annotations of a project to a file, if they are not what stands there.

    A task of the file that the project has no more, or that no annotation is left of, goes to
    `gone_file`; it comes back when it is annotated again.

    Args:
        server: where the project is.
        project: whose annotations are wanted.
        path: the file.

    Raises:
        InputError: if the file's name does not end in .json, other things stand there than Label
            Studio's tasks, or it cannot be written.
        ServerError: if the server cannot be asked, or the project does not mark spans in a text.
    """
    path = Path(path)
    if path.suffix != ".json":
        raise InputError(str(path), "no name for an export", expected="one that ends in .json")
    interface = read_interface(project.interface, where=f"project {project.title}")
    before, aside = _read(path), _read(gone_file(path))
    tasks = _export(server, project)
    rows = _rows(server, project, tasks, before or [], text_key=interface.text_key)
    corpus = read_tasks(rows, source=str(path), labels=interface.labels)
    old, new = by_name(before or []), by_name(rows)
    left = {**by_name(aside or []), **old}
    kept = sorted((row for name, row in left.items() if name not in new), key=place)
    findings = [f.to_dict() for f in corpus.findings if f.action != "noted"]
    try:
        # In this order, so that no task is in neither file should it be interrupted.
        written = [
            _write(kept, aside, gone_file(path)),
            _write(rows, before, path, even_empty=before is not None),
            _write_findings(findings, findings_file(path)),
        ]
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    return Pulled(
        path=path,
        written=any(written),
        counts=_count(tasks, rows),
        new=tuple(name[1] for name in new if name not in old),
        changed=tuple(
            name[1] for name in new if name in old and json_line(old[name]) != json_line(new[name])
        ),
        gone=tuple(name[1] for name in old if name not in new),
        corpus=corpus,
    )


def _export(server: Server, project: Project) -> list[Task]:
    what = f"export project {project.title}"
    tasks = server.patiently(what, lambda: server.sdk.projects.exports.as_json(project.id))
    if not isinstance(tasks, list) or not all(isinstance(t, dict) and "data" in t for t in tasks):
        raise ServerError(
            server.url, f"answers what a Label Studio does not: {what}", expected="a list of tasks"
        )
    return tasks


def _rows(
    server: Server,
    project: Project,
    tasks: Iterable[Task],
    before: Iterable[Task],
    *,
    text_key: str,
) -> list[Task]:
    touched = [t for t in tasks if t.get("annotations")]
    people = _people(server) if touched else {}
    models = _models(server, project, touched, before)
    made = (to_row(t, text_key=text_key, people=people, models=models) for t in touched)
    return sorted(made, key=place)


def _people(server: Server) -> dict[int, str]:
    """E-mail addresses of the server's users by number; none where who asks may not see them."""

    def ask() -> list[Any]:
        try:
            return list(server.sdk.users.list())
        except ApiError as error:
            if error.status_code in _NOT_FOR_ALL:
                return []
            raise

    return {int(user.id): str(user.email) for user in server.patiently("list users", ask)}


def _models(
    server: Server, project: Project, tasks: Iterable[Task], before: Iterable[Task]
) -> dict[Key, str]:
    """The version of the model whose suggestion an annotation began with, by the latter's key.

    What an earlier pull knew stays known when the predictions are deleted.
    """
    begun = [a for t in tasks for a in t["annotations"]]
    # The editor leaves the suggestion itself with the annotation; accepting in bulk does not.
    known = {
        key_of(a): str(a["prediction"]["model_version"])
        for a in [*(a for row in before for a in row["annotations"]), *begun]
        if isinstance(a.get("prediction"), dict) and a["prediction"].get("model_version")
    }
    asked = {
        key_of(a): a["parent_prediction"]
        for a in begun
        if a.get("parent_prediction") and key_of(a) not in known
    }
    if asked:
        predictions = server.patiently(
            "list predictions", lambda: list(server.sdk.predictions.list(project=project.id))
        )
        versions = {p.id: str(p.model_version) for p in predictions if p.model_version}
        known |= {key: versions[p] for key, p in asked.items() if p in versions}
    return known


def _count(tasks: Sequence[Task], rows: Sequence[Task]) -> Counts:
    annotations = [a for row in rows for a in row["annotations"]]
    skipped = sum(all(a["was_cancelled"] for a in row["annotations"]) for row in rows)
    return Counts(
        tasks=len(tasks),
        annotated=len(rows) - skipped,
        skipped=skipped,
        untouched=len(tasks) - len(rows),
        drafts=sum(len(t.get("drafts") or ()) for t in tasks),
        empty=sum(not a["result"] and not a["was_cancelled"] for a in annotations),
        annotators=dict(sorted(Counter(map(who, annotations)).items())),
    )


def _read(path: Path) -> list[Task] | None:
    """The tasks of an earlier pull; None where there was none."""
    if not path.exists():
        return None
    try:
        rows = json.loads(read_text(path))
        if isinstance(rows, list) and all(map(is_row, rows)):
            return rows
    except (DataError, ValueError):
        pass
    raise InputError(
        str(path),
        "a file stands there that holds no tasks of Label Studio",
        expected="the file of an earlier pull, or none",
        do="choose another with --out, or move it away.",
    )


def _write(
    rows: Sequence[Task], before: Sequence[Task] | None, path: Path, *, even_empty: bool = False
) -> bool:
    if [json_line(row) for row in rows] == [json_line(row) for row in before or ()]:
        return False
    if rows or even_empty:
        write_json_list(path, rows)
    else:
        path.unlink(missing_ok=True)
    return True


def _write_findings(findings: Sequence[Mapping[str, Any]], path: Path) -> bool:
    lines = "".join(json_line(finding) + "\n" for finding in findings)
    if lines == (read_text(path) if path.exists() else ""):
        return False
    if findings:
        write_json_lines(path, findings)
    else:
        path.unlink(missing_ok=True)
    return True
