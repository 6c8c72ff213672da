"""One tagger shared: between threads, with forked and spawned processes, copied, dropped."""

from __future__ import annotations

import asyncio
import copy
import gc
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from presstag import ModelError, Tagger, load
from presstag.bundle import NETWORK

TEXTS = [
    f"{n} {'and ' * (n % 40)}Norway sent {'tanks, ' * (n % 3)}patrol boats to Denmark."
    for n in range(200)
]
PATIENCE = 120
"""Seconds after which a child counts as hanging, on a busy machine too."""


@pytest.fixture(scope="module", params=["lookup_model", "tiny_model"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    """A packed model whose network has more than one thread."""
    return load(request.getfixturevalue(request.param), threads=2)


@pytest.fixture
def lookup(lookup_model: Path) -> Tagger:
    """The model that needs no training, with more than one thread."""
    return load(lookup_model, threads=2)


def test_sixteen_threads_find_what_one_finds(lookup: Tagger) -> None:
    """10,000 results, in order, those of a serial run."""
    expected = [lookup(text) for text in TEXTS]
    assert 200 < sum(map(len, expected))
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lookup, TEXTS * 50))
    assert [] == [n for n, spans in enumerate(found) if spans != expected[n % len(TEXTS)]]


def test_threads_may_pipe_at_the_same_time(tagger: Tagger) -> None:
    """Batches of several threads do not mix."""
    expected = list(tagger.pipe(TEXTS))
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda size: list(tagger.pipe(TEXTS, batch_size=size)), range(1, 9)))
    assert [expected] * 8 == found


def test_asyncio_calls_it_in_threads(lookup: Tagger) -> None:
    """`await asyncio.to_thread(tagger, text)` is how a coroutine tags."""

    async def tag_all() -> list[object]:
        return await asyncio.gather(*(asyncio.to_thread(lookup, text) for text in TEXTS))

    assert [lookup(text) for text in TEXTS] == asyncio.run(tag_all())


forking = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
# Python 3.12 and newer warn of any fork beside threads, of which onnxruntime and numpy have some.
forks = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@forking
@forks
def test_forked_children_find_what_the_parent_finds(tagger: Tagger) -> None:
    """A tagger that was used before the fork works in the children, and then in the parent."""
    expected = [tagger(text) for text in TEXTS]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map_async(tagger.__call__, TEXTS, chunksize=50).get(PATIENCE)
    assert expected == found == [tagger(text) for text in TEXTS]


@forking
@pytest.mark.parametrize("work", ["", "tagger(text)", "del tagger", "tagger(text); del tagger"])
def test_a_forked_child_ends(lookup_model: Path, work: str) -> None:
    """Dropping the inherited tagger or ending the interpreter waits for none of the threads."""
    code = f"""
import os, sys, warnings, presstag
warnings.simplefilter("ignore")
tagger = presstag.load({str(lookup_model)!r}, threads=2)
text = "Norway sent tanks."
expected = tagger(text)
pid = os.fork()
if pid == 0:
    {work or "pass"}
    sys.exit(7)
ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert tagger(text) == expected
print(ended)
"""
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ("7\n", "") == (done.stdout, done.stderr)


@forking
@forks
def test_a_fork_amid_the_work_of_threads(lookup: Tagger) -> None:
    """A child that was forked while other threads were tagging finds what they find."""
    expected = [lookup(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        busy = pool.map(lookup, TEXTS * 5)
        for _ in range(3):
            with multiprocessing.get_context("fork").Pool(1) as children:
                found = children.map_async(lookup.__call__, TEXTS[:20]).get(PATIENCE)
            assert expected[:20] == found
        assert expected * 5 == list(busy)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_processes_open_it_again(lookup: Tagger, method: str) -> None:
    """A pool that pickles its function gets the same spans."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    least = lookup.with_min_score({"DONOR": 0.99})
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(least, TEXTS[:20], timeout=PATIENCE))
    assert [least(text) for text in TEXTS[:20]] == found


@pytest.mark.parametrize("copied", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy])  # noqa: S301
def test_a_copy_finds_the_same(tagger: Tagger, copied: Callable[[Tagger], Tagger]) -> None:
    """Spans, scores, labels and what is known of the model."""
    other = copied(tagger)
    assert [tagger(text) for text in TEXTS[:20]] == [other(text) for text in TEXTS[:20]]
    assert (tagger.labels, tagger.info) == (other.labels, other.info)


def test_a_pickle_names_the_network(lookup: Tagger, lookup_model: Path) -> None:
    """It is small: the weights stay in their file."""
    assert len(pickle.dumps(lookup)) < (lookup_model / NETWORK).stat().st_size / 10


def test_a_pickle_follows_to_another_directory(
    lookup_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that was opened by a relative path is found by the absolute one."""
    shutil.copytree(lookup_model, tmp_path / "here" / "small")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    pickled = pickle.dumps(load("small"))
    monkeypatch.chdir(tmp_path / "there")
    assert load(lookup_model)(TEXTS[2]) == pickle.loads(pickled)(TEXTS[2])  # noqa: S301


@pytest.mark.parametrize("content", [None, b"another network"])
def test_a_pickle_of_a_model_that_is_gone_says_so(
    lookup_model: Path, tmp_path: Path, content: bytes | None
) -> None:
    """Neither a missing network nor another model's is taken for it."""
    folder = Path(shutil.copytree(lookup_model, tmp_path / "small"))
    tagger = load(folder)
    pickled = pickle.dumps(tagger)
    (folder / NETWORK).unlink()
    if content is not None:
        (folder / NETWORK).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        pickle.loads(pickled)  # noqa: S301
    assert str(folder / NETWORK) == caught.value.where
    assert [] != tagger(TEXTS[2])


def test_dropped_taggers_leave_no_memory(lookup_model: Path) -> None:
    """Opening and dropping fifty leaves the process as large as after the first few."""
    psutil = pytest.importorskip("psutil", reason="psutil, of the train extra, reads memory")

    def open_and_drop(times: int) -> int:
        for _ in range(times):
            load(lookup_model)(TEXTS[2])
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    before = open_and_drop(10)
    network = (lookup_model / NETWORK).stat().st_size
    assert open_and_drop(50) - before < 10 * network
