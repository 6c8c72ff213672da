"""What several test modules need: articles, a tiny encoder, models of both, the command line."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from presstag.cli import main
from presstag.corpus import write_corpus
from presstag.corpus.inline import read_marked
from presstag.spans import Article

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

# No test reaches beyond loopback: without these, transformers would ask a hub about folders.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Threads that wait for each other on busy cores make a tiny model fifty times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that runs the tests in the background has commands ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)

LABELS = ("DONOR", "SYSTEM")

MARKED = (
    "{DONOR|Norway} will send two {SYSTEM|patrol boats} to Lusitania, the minister said.",
    "Nobody gave anything. The council met on Tuesday and talked about roads.",
    (
        "{SYSTEM|Tanks} from {DONOR|Denmark} and {SYSTEM|field kitchens} "
        "from {DONOR|Norway} arrived by rail."
    ),
    "“{DONOR|Iceland} pays,” she said.\n\n{DONOR|Iceland} has no {SYSTEM|tanks} of its own.",
    (
        "The {DONOR|Danish government} added {SYSTEM|155-millimetre shells}; "
        "Norway’s parliament was silent."
    ),
    "A café owner in Bergen 😀 bought {SYSTEM|drones} with the {DONOR|Bergen Rotary Club}.",
)


def marked_articles(prefix: str, *, copies: int) -> list[Article]:
    """The articles above, `copies` times over, each under an id of its own."""
    return [
        read_marked(f"{prefix} {n}. {text}", name=f"{prefix}-{n}-{i}", source="conftest.py")
        for n in range(copies)
        for i, text in enumerate(MARKED)
    ]


@pytest.fixture(scope="session")
def articles() -> list[Article]:
    """Six short articles with spans of both labels; one has none."""
    return marked_articles("Report", copies=1)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT of two layers and a word-piece tokenizer trained here."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-encoder")
    trained = BertWordPieceTokenizer(lowercase=True)
    trained.train_from_iterator(
        [a.text for a in marked_articles("Report", copies=2)], vocab_size=300
    )
    BertTokenizerFast(tokenizer_object=trained._tokenizer).save_pretrained(folder)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=trained.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.json, dev.json and test.json, as Label Studio exports them."""
    folder = tmp_path_factory.mktemp("tiny-data")
    for split, copies in (("train", 4), ("dev", 1), ("test", 1)):
        write_corpus(marked_articles(split.title(), copies=copies), folder / f"{split}.json")
    return folder


@pytest.fixture(scope="session")
def tiny_config(
    tiny_encoder: Path, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A config that trains the tiny encoder on the tiny data in six steps."""
    path = tmp_path_factory.mktemp("tiny-config") / "tiny.yaml"
    path.write_text(
        f"""\
name: tiny
data:
  train: {tiny_data}/train.json
  dev: {tiny_data}/dev.json
  test: {tiny_data}/test.json
  labels: [DONOR, SYSTEM]
model: {{encoder: {tiny_encoder}, window: 24, overlap: 8}}
training: {{max_steps: 6, evaluate_every: 2, learning_rate: 1e-2, precision: fp32}}
export: {{max_f1_loss: 1.0}}
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="session")
def tiny_model(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that a whole run made: packed model, checkpoint, scores."""
    from presstag.train.configfile import read_config
    from presstag.train.run import train

    folder = tmp_path_factory.mktemp("models") / "tiny"
    train(read_config(tiny_config), folder)
    return folder


@pytest.fixture(scope="session")
def learned_model(tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `tiny_model`, but trained until it finds most spans: what a comparison needs."""
    from presstag.train.configfile import read_config
    from presstag.train.run import train

    folder = tmp_path_factory.mktemp("models") / "learned"
    longer = ["max_steps=40", "evaluate_every=20", "head_learning_rate=1e-2"]
    train(read_config(tiny_config, [f"training.{o}" for o in longer]), folder)
    return folder


KNOWN = {
    "norway": "B-DONOR",
    "denmark": "B-DONOR",
    "tanks": "B-SYSTEM",
    "patrol": "B-SYSTEM",
    "boats": "I-SYSTEM",
}


@pytest.fixture(scope="session")
def pack_table(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`pack_table(TABLE, TOKENIZER)` packs a model that looks a token's logits up by its id."""
    from onnx import TensorProto, helper, numpy_helper

    from presstag.bundle import Manifest, write_bundle

    def pack(table: Any, tokenizer: str) -> Path:
        inputs, outputs = ("input_ids", "attention_mask"), ["w", "t", table.shape[1]]
        graph = helper.make_graph(
            [helper.make_node("Gather", ["table", "input_ids"], ["logits"])],
            "lookup",
            [helper.make_tensor_value_info(i, TensorProto.INT64, ["w", "t"]) for i in inputs],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, outputs)],
            [numpy_helper.from_array(table, "table")],
        )
        opset = [helper.make_opsetid("", 18)]
        network = helper.make_model(graph, ir_version=9, opset_imports=opset)
        manifest = Manifest(
            name="lookup",
            labels=list(LABELS),
            window=24,
            overlap=8,
            pad=0,
            precision="fp32",
            files={},
            scores={},
            provenance={},
        )
        folder = tmp_path_factory.mktemp("models") / "lookup"
        content = network.SerializeToString()
        write_bundle(folder, manifest, network=content, tokenizer=tokenizer)
        return folder

    return pack


@pytest.fixture(scope="session")
def lookup_model(pack_table: Callable[..., Path]) -> Path:
    """The folder of a packed model that knows the words of `KNOWN`, whatever stands beside them.

    Of DONOR it is surer than of SYSTEM.
    """
    import numpy as np
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    from presstag.tags import TagScheme

    ids = {word: i for i, word in enumerate(("[UNK]", *KNOWN))}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tags = TagScheme(LABELS).tags
    table = np.zeros((50_000, len(tags)), dtype=np.float32)  # of a size that a leak would show
    table[:, 0] = 5
    for word, tag in KNOWN.items():
        table[ids[word], tags.index(tag)] = 10 if tag == "B-DONOR" else 7
    return pack_table(table, tokenizer.to_str())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """`install(WHEEL)` lays a wheel out as pip does; the folder is on sys.path for one test."""

    def lay_out(wheel: Path) -> Path:
        site = tmp_path / "site" / wheel.stem
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        monkeypatch.syspath_prepend(site)
        return site

    return lay_out


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Presstag = Callable[..., Ran]


@pytest.fixture
def presstag(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Presstag:
    """`presstag ARGUMENTS…`, through the entry point that the console script calls."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["presstag", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[..., BrowserContext]]:
    """`chromium(FOLDER, …)`: Debian's, without a screen, its profile in the folder.

    Skipped where there is none, unless BROWSER_REQUIRED=1.
    """
    lacking = "" if shutil.which(CHROMIUM) else f"no {CHROMIUM}: apt-get install chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking = "no playwright: it is of the dev group"
    if lacking:
        (pytest.fail if os.environ.get("BROWSER_REQUIRED") == "1" else pytest.skip)(lacking)

    with sync_playwright() as playwright:

        def start(folder: Path, **settings: Any) -> BrowserContext:
            context = playwright.chromium.launch_persistent_context(
                folder / "profile",
                executable_path=CHROMIUM,
                args=FLAGS,
                reduced_motion="reduce",
                **settings,
            )
            context.set_default_timeout(10_000)
            return context

        yield start
