"""The way to a Label Studio server: who asks, what went wrong, and once more where that is safe."""

from __future__ import annotations

import os
import re
import shlex
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from pydantic import ValidationError

from presstag.errors import InputError, ServerError

URL, TOKEN = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
"""The environment variables that the SDK reads, too."""

# Two pages of this size take 2 s; `exports.as_json` takes 5 s, and `fields="all"` 18 s.
_TASKS_AT_ONCE = 1000
_PASSING = {408, 429, 500, 502, 503, 504}
_CREDENTIALS = re.compile(r"\b(Token|Bearer) \S+")  # that a server might repeat
_PATIENCE = 120.0  # seconds until the next part of an answer
_SHORTEST, _LONGEST = 3, 50
_SHOWN = 10
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Project:
    """A project on the server; `interface` is its labelling interface, as XML."""

    id: int
    title: str
    interface: str


class Server:
    """A Label Studio server that answered, and knows who asks.

    Attributes:
        url: its address.
        sdk: the client of label-studio-sdk; call it within `asking` or through `patiently`.
        user: the e-mail address of who asks.
        version: the server's release.
    """

    def __init__(self, url: str, sdk: LabelStudio, *, user: str, version: str) -> None:
        self.url = url
        self.sdk = sdk
        self.user = user
        self.version = version

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turn whatever goes wrong within into a `ServerError` that says `what` was tried.

        Raises:
            ServerError: if the server is out of reach, refuses, fails, or is no Label Studio.
        """
        with _asking(self.url, what):
            yield

    def patiently(self, what: str, ask: Callable[[], _Answer], *, times: int = 4) -> _Answer:
        """Ask, and again after a broken connection or a passing fault; for harmless repeats only.

        Raises:
            ServerError: as `asking` does, after the last time.
        """
        with self.asking(what):
            for turn in range(times - 1):
                try:
                    return ask()
                except (httpx.TransportError, ApiError) as error:
                    if not _passes(error):
                        raise
                time.sleep(0.5 * 2**turn)
            return ask()

    def new_project(self, title: str, interface: str) -> Project:
        """Make a project that shows suggestions; a second one of the same title is refused.

        Args:
            title: 3 to 50 characters.
            interface: its labelling interface, as `labelling_interface` writes it.

        Raises:
            InputError: if the title does not fit, or a project has it already.
            ServerError: if the server fails or does not take the interface.
        """
        title = title.strip()
        if not _SHORTEST <= len(title) <= _LONGEST:
            raise InputError(
                f"title {title!r}",
                f"has {len(title)} characters",
                expected=f"{_SHORTEST} to {_LONGEST}: Label Studio takes no other",
            )
        same = [p for p in self._projects() if p.title == title]
        if same:
            raise InputError(
                f"title {title!r}",
                "is that of " + ", ".join(f"project {p.id}, {self.address(p)}" for p in same),
                do="use that project, or choose another title.",
            )
        with self.asking("make a project"):
            made = self.sdk.projects.create(
                title=title, label_config=interface, show_collab_predictions=True
            )
            return _project(made)

    def list_tasks(self, project: Project, include: str, *, query: str | None = None) -> list[Any]:
        """List tasks of a project with the fields that `include` names, commas between them.

        `query` filters them, in the JSON of the server's own list.

        Raises:
            ServerError: if the server fails.
        """

        def ask() -> list[Any]:
            # Without resolve_uri the server gives texts as they are, addresses of files included.
            every: Iterable[Any] = self.sdk.tasks.list(
                project=project.id,
                fields="task_only",
                include=include,
                query=query,
                resolve_uri=False,
                page_size=_TASKS_AT_ONCE,
            )
            return list(every)

        return self.patiently(f"list the tasks of project {project.title}", ask)

    def address(self, project: Project) -> str:
        """Where the project is in a browser."""
        return f"{self.url}/projects/{project.id}"

    def find_project(self, name: str) -> Project:
        """Find a project by its title, or by its number where no title is so.

        Raises:
            ServerError: if there is none, or several of that title.
        """
        name = name.strip()
        every = self._projects()
        found = [p for p in every if p.title == name] or [p for p in every if str(p.id) == name]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(p.id) for p in found)
            raise ServerError(
                self.url,
                f"{len(found)} projects are called {name}",
                do=f"name it by its number: {numbers}.",
            )
        titles = sorted(p.title for p in every)
        shown = ", ".join(titles[:_SHOWN]) + (" and others" if len(titles) > _SHOWN else "")
        raise ServerError(
            self.url,
            f"no project {name}",
            expected=f"one of those that {self.user} sees: {shown or 'none'}",
            do=f"make it with: presstag label new --project {shlex.quote(name)}",
        )

    def _projects(self) -> list[Project]:
        def ask() -> list[Project]:
            every: Iterable[Any] = self.sdk.projects.list()
            return [_project(p) for p in every]

        return self.patiently("list projects", ask)


def connect(url: str | None = None, token: str | None = None) -> Server:
    """Reach a server and prove who asks.

    Args:
        url: its address; None takes $LABEL_STUDIO_URL.
        token: a legacy token or a personal access token; None takes $LABEL_STUDIO_API_KEY.

    Raises:
        ServerError: if one of the two is missing, or the server does not take them.
    """
    url = (url or os.environ.get(URL, "")).strip().rstrip("/")
    token = (token or os.environ.get(TOKEN, "")).strip()
    _check(url, token)
    with ExitStack() as undone, _asking(url, "sign in"):
        client = undone.enter_context(httpx.Client(timeout=httpx.Timeout(_PATIENCE, connect=10)))
        # The SDK would send whatever broke off a second time, and so import tasks twice; what may
        # be repeated is asked `patiently`. Without the last "/" it loses a path of the address.
        sdk = LabelStudio(base_url=f"{url}/", api_key=token, httpx_client=client, max_retries=0)  # type: ignore[no-untyped-call]
        user: Any = sdk.users.whoami().email
        release: Any = sdk.versions.get().release
        if not isinstance(user, str) or not isinstance(release, str):
            raise _stranger(url, "sign in")
        server = Server(url, sdk, user=user, version=release)
        weakref.finalize(sdk, undone.pop_all().close)
        return server


def _check(url: str, token: str) -> None:
    """Refuse what cannot be an address or a token, without showing it."""
    for value, name, what in ((url, URL, "address"), (token, TOKEN, "access token")):
        if not value:
            raise ServerError(
                name,
                f"no {what} of a Label Studio server is given",
                do=f"export {name}=…; scripts/label-studio starts a server to try with.",
            )
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise ServerError(URL, "is no address", expected="one such as http://127.0.0.1:8080")
    if not re.fullmatch(r"[!-~]+", token):
        found = "holds blanks, line breaks or letters that no access token has"
        raise ServerError(TOKEN, found, do=_COPY)


@contextmanager
def _asking(url: str, what: str) -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise _refusal(url, what, error) from None
    except httpx.TimeoutException:
        raise ServerError(url, f"no answer in time: {what}", do=_AGAIN) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise ServerError(url, f"out of reach: {what}: {reason}", do=_AGAIN) from None
    except (ValidationError, AttributeError, ValueError, TypeError, LookupError) as error:
        raise _stranger(url, f"{what} ({type(error).__name__})") from error


_AGAIN = "check the address and that the server runs; then run the command again."
_COPY = "copy one from Label Studio: Account & Settings, Personal Access Token."


def _passes(error: httpx.TransportError | ApiError) -> bool:
    """Whether the same may work a little later."""
    if isinstance(error, ApiError):
        return error.status_code in _PASSING
    return not isinstance(error, httpx.TimeoutException)  # it took long enough


def _stranger(url: str, what: str) -> ServerError:
    return ServerError(
        url,
        f"answers what a Label Studio does not: {what}",
        expected="Label Studio 1.23 or its like",
        do="check the address.",
    )


def _refusal(url: str, what: str, error: ApiError) -> ServerError:
    status, said = error.status_code or 0, _said(error.body)
    if status < 300:
        return _stranger(url, what)
    expected, do = "", ""
    if status < 400:
        to = (error.headers or {}).get("location", "another address")
        found, do = f"sends elsewhere, to {to}", "give the address that Label Studio itself has."
    elif status == 401:
        found, do = "the token is refused", _COPY
        expected = f"a personal access token or a legacy token in {TOKEN}"
    elif status == 403:
        found, do = "not allowed", "ask the project's owner."
    elif status == 404:
        found, do = "not there", "check the project and the address."
    elif status < 500:
        found = f"refused with {status}"
    else:
        found = f"the server failed with {status}"
        do = "look into the server's log; then run it again."
    return ServerError(url, f"{found}: {what}{said}", expected=expected, do=do)


def _said(body: Any) -> str:
    """What the server says of its refusal, on one line; pages of HTML say nothing."""
    if isinstance(body, dict):
        body = body.get("validation_errors") or body.get("detail") or body
    text = _CREDENTIALS.sub(r"\1 …", " ".join(str(body or "").split()))
    return "" if not text or text.startswith("<") else f" ({text[:300]})"


def _project(raw: Any) -> Project:
    return Project(int(raw.id), str(raw.title), str(raw.label_config or ""))
