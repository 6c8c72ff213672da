"""Articles into a project, with a model's suggestions: each once, however often it is tried.

An import is no harmless repeat: its answer may be lost though the server took it. So what the
project has is listed first, only what lacks is sent, and after a fault it is listed again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from label_studio_sdk.core.api_error import ApiError

from presstag.corpus.findings import Finding
from presstag.corpus.tasks import to_bare_task
from presstag.errors import InputError, ModelError, PresstagError, ServerError
from presstag.evaluate.tagging import Failure, tag_articles
from presstag.labelstudio.client import Project, Server
from presstag.labelstudio.interface import Interface, read_interface
from presstag.labelstudio.present import Present, list_present
from presstag.labelstudio.suggestions import model_version, show_suggestions, to_suggestion
from presstag.spans import Article, Span
from presstag.tagger import Tagger

# With a suggestion a sentence this stays below 1 MB, which every web server in between takes.
_MOST_ARTICLES, _MOST_BYTES = 100, 250_000
_TIMES = 4
# After a lost answer the server may still be at work: seconds before each look at what it took.
_LOOKS = (1.0, 2.0, 4.0)
# It took nothing, or what it took is seen at the next look; after 504 it may take it much later.
_PASSING = {429, 500, 502, 503}


class Progress(Protocol):
    """Who is told how far a push is."""

    def begin(self, *, articles: int, tagging: bool) -> None:
        """So many articles are to be sent, after tagging or as they are."""

    def tagged(self, articles: int) -> None:
        """So many more have been tagged."""

    def sent(self, articles: int) -> None:
        """So many more are on the server."""


@dataclass
class Pushed:
    """What became of the articles.

    Attributes:
        version: the model version of the predictions; None without a model.
        new: articles that were sent as new tasks.
        present: articles that the project had already.
        predictions: predictions added to tasks that were there already.
        failures: articles that the model could not tag; they are there without a prediction.
        faults: articles that were not sent, each with the reason.
        notes: what else is worth knowing of articles that were there.
    """

    version: str | None = None
    new: int = 0
    present: int = 0
    predictions: int = 0
    failures: list[Failure] = field(default_factory=list)
    faults: list[PresstagError] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def push(
    server: Server,
    project: Project,
    articles: Sequence[Article],
    *,
    tagger: Tagger | None = None,
    progress: Progress | None = None,
) -> Pushed:
    """Send the articles that a project lacks, and a model's predictions where they lack.

    An article is there already if a task has its text. Tasks keep their annotations, and their
    predictions of other models; the project shows those of this model from now on.

    Args:
        server: the server.
        project: where to.
        articles: what is to be annotated, each id and each text once.
        tagger: the model that suggests spans; None sends articles alone.
        progress: who is told how far it is.

    Raises:
        InputError: if the model gives labels that the project does not have.
        ServerError: if the server fails, or still does after several times.
    """
    interface = read_interface(project.interface, where=f"project {project.title}")
    if interface.text_key == "id":
        found = "the project shows data.id as the text, where ids of articles are kept"
        raise InputError(f"project {project.title}", found, do='change its Text to value="$text".')
    if tagger is not None:
        _check_labels(tagger, interface, project)
    sender = _Sender(server, project, interface, tagger, progress)
    present = sender.send_all(articles)
    pushed = sender.pushed
    if interface.note:
        where = f"project {project.title}"
        pushed.notes.append(Finding("granularity", "noted", where, interface.note))
    if pushed.version is not None and present.suggested:
        pushed.notes += show_suggestions(server, project, version=pushed.version)
    return pushed


def _check_labels(tagger: Tagger, interface: Interface, project: Project) -> None:
    lacking = [label for label in tagger.labels if label not in interface.labels]
    if lacking:
        raise InputError(
            f"project {project.title}",
            f"its interface lacks labels that the model gives: {', '.join(lacking)}",
            expected=", ".join(tagger.labels),
            do="add them in Settings, Labeling Interface; without --model articles go alone.",
        )


@dataclass
class _Sender:
    server: Server
    project: Project
    interface: Interface
    tagger: Tagger | None
    progress: Progress | None
    pushed: Pushed = field(default_factory=Pushed)
    # By article id; None for an article that the model fails on.
    _found: dict[str, list[Span] | None] = field(default_factory=dict)

    def send_all(self, articles: Sequence[Article]) -> Present:
        """Send what lacks; what the project has afterwards."""
        if self.tagger is not None:
            self.pushed.version = model_version(self.tagger)
        present = self._list()
        wanted = [a for a in articles if self._is_wanted(a, present)]
        lacking = [a for a in wanted if self._lacks(a, present)]
        if self.progress:
            self.progress.begin(articles=len(lacking), tagging=self.tagger is not None)
        for batch in _batches(lacking):
            self._tag(batch)
            self._deliver(batch, present)
            if self.progress:
                self.progress.sent(len(batch))
        if lacking:
            present = self._list()
            self._check_arrived(lacking, present)
        self._note_doubles(wanted, present)
        return present

    def _list(self) -> Present:
        key, version = self.interface.text_key, self.pushed.version
        return list_present(self.server, self.project, text_key=key, version=version)

    def _is_wanted(self, article: Article, present: Present) -> bool:
        """Whether an article is there or may be sent; what is there is counted."""
        tasks = present.find(article)
        other = present.other_text(article)
        if not tasks and other:
            self.pushed.faults.append(
                InputError(
                    f"article {article.id}",
                    f"task {other.number} of the project has this id and another text",
                    do="give the article another id, or delete the task.",
                )
            )
            return False
        self.pushed.present += bool(tasks)
        if tasks and tasks[0].id not in (None, article.id):
            message = f"its text is there as {tasks[0].id}, task {tasks[0].number}"
            self.pushed.notes.append(Finding("other-id", "noted", article.id, message))
        return True

    def _lacks(self, article: Article, present: Present) -> bool:
        return not present.find(article) or bool(self._bare(article, present))

    def _bare(self, article: Article, present: Present) -> list[int]:
        """The tasks of an article that should have a prediction of the model, and have none."""
        if self.tagger is None or self._found.get(article.id, []) is None:
            return []
        return [t.number for t in present.find(article) if t.number not in present.suggested]

    def _tag(self, batch: Sequence[Article]) -> None:
        if self.tagger is None:
            return
        self._found.update(dict.fromkeys((a.id for a in batch), None))
        try:
            tagged = tag_articles(self.tagger, batch)
        except ModelError as error:
            self.pushed.failures += [Failure(a.id, error.found) for a in batch]
        else:
            names = [a.id for a in tagged.articles]
            self._found.update(zip(names, tagged.found, strict=True))
            self.pushed.failures += tagged.failures
        if self.progress:
            self.progress.tagged(len(batch))

    def _deliver(self, batch: Sequence[Article], present: Present) -> None:
        """Send a batch; after a fault see what arrived, and send the rest."""
        new = sum(not present.find(a) for a in batch)
        predictions = sum(len(self._bare(a, present)) for a in batch)
        what = f"send {len(batch)} articles"
        for turn in range(_TIMES):
            try:
                self._send(batch, present)
            except (httpx.TransportError, ApiError) as error:
                passing = _passes(error)
                if passing and turn < _TIMES - 1:
                    present = self._look_for(batch, error)
                    continue
                with self.server.asking(what):
                    raise
            break
        self.pushed.new += new
        self.pushed.predictions += predictions

    def _send(self, batch: Sequence[Article], present: Present) -> None:
        number, sdk = self.project.id, self.server.sdk
        tasks: list[Any] = [self._to_task(a) for a in batch if not present.find(a)]
        added: list[Any] = [
            {"task": task, **prediction}
            for article in batch
            for task in self._bare(article, present)
            for prediction in self._predictions(article)
        ]
        if tasks:
            sdk.projects.import_tasks(number, request=tasks)
        if added:
            sdk.projects.import_predictions(number, request=added)

    def _to_task(self, article: Article) -> dict[str, Any]:
        task = to_bare_task(article, text_key=self.interface.text_key)
        return {**task, "predictions": self._predictions(article)}

    def _predictions(self, article: Article) -> list[dict[str, Any]]:
        spans, version = self._found.get(article.id), self.pushed.version
        if spans is None or version is None:
            return []
        return [to_suggestion(article, spans, version=version, interface=self.interface)]

    def _look_for(self, batch: Sequence[Article], error: Exception) -> Present:
        for pause in _LOOKS:
            time.sleep(pause)
            present = self._list()
            arrived = not any(self._lacks(a, present) for a in batch)
            if arrived or isinstance(error, httpx.ConnectError):
                break
        return present

    def _check_arrived(self, articles: Sequence[Article], present: Present) -> None:
        lost = [a.id for a in articles if self._lacks(a, present)]
        if lost:
            names = ", ".join(lost[:10])
            raise ServerError(
                self.server.address(self.project),
                f"took {len(lost)} articles or their predictions and does not have them: {names}",
                do="look into the server's log; then run the command again.",
            )

    def _note_doubles(self, articles: Sequence[Article], present: Present) -> None:
        for article in articles:
            tasks = present.find(article)
            if len(tasks) > 1:
                numbers = ", ".join(str(task.number) for task in tasks)
                message = f"stands more than once in the project: tasks {numbers}"
                self.pushed.notes.append(Finding("doubled", "noted", article.id, message))


def _passes(error: httpx.TransportError | ApiError) -> bool:
    """Whether a request may be sent again once it is known what the server took of it."""
    if isinstance(error, ApiError):
        return error.status_code in _PASSING
    return not isinstance(error, httpx.ReadTimeout)


def _batches(articles: Sequence[Article]) -> Iterator[list[Article]]:
    batch: list[Article] = []
    size = 0
    for article in articles:
        length = len(article.text.encode())
        if batch and (len(batch) == _MOST_ARTICLES or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(article)
        size += length
    if batch:
        yield batch
