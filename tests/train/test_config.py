from __future__ import annotations

import json
import string
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presstag import ConfigError
from presstag.train.config import Config, DataSection, ModelSection, Range, Section, TrainingSection
from presstag.train.configfile import read_config, to_yaml

SMALLEST = "name: x\ndata: {train: a.json, dev: b.json, labels: [A]}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config(write(folder, text), overrides)
    return str(caught.value)


def test_what_a_file_leaves_out_has_defaults(tmp_path: Path) -> None:
    """Name, two splits and labels are enough."""
    config = read_config(write(tmp_path, SMALLEST))
    assert (TrainingSection(), ModelSection()) == (config.training, config.model)
    assert config.data.test is None


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("training: {epoch: 3}", "run.yaml:3: training.epoch: unknown key; did you mean epochs?"),
        (
            "training: {window: 64}",
            "run.yaml:3: training.window: unknown key; did you mean model.window?",
        ),
        (
            "training:\n  overlap: 3\n",
            "run.yaml:4: training.overlap: unknown key; did you mean model.overlap?",
        ),
        ("learning_rate: 3", "unknown key; did you mean training.learning_rate?"),
        ("trainings: {}", "run.yaml:3: trainings: unknown key; did you mean training?"),
        ("export: {zzz: 1}", "export.zzz: unknown key; known here: precision, max_f1_loss"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(
    section: str, expected: str, tmp_path: Path
) -> None:
    """A key of another section is named with its section."""
    assert expected in refusal(tmp_path, SMALLEST + section)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """With file, line and key each, so that nobody mends them one run at a time."""
    text = "data:\n  train: 3\n  labels: [A]\ntraining:\n  epochs: many\n  seeds: 1\n"
    message = refusal(tmp_path, text)
    assert f"{tmp_path}/run.yaml: 5 mistakes" in message
    for mistake in (
        "run.yaml: name: missing",
        "run.yaml:1: data.dev: missing",
        "run.yaml:2: data.train: input should be a valid string (found 3)",
        "run.yaml:5: training.epochs: input should be a valid number (found 'many')",
        "run.yaml:6: training.seeds: unknown key; did you mean seed?",
    ):
        assert f"\n  - {tmp_path}/{mistake}" in message


@pytest.mark.parametrize(
    ("written", "expected"),
    [("1e-5", 1e-5), ("2E-4", 2e-4), ("1_0e-5", 1e-4), ("1.5e-5", 1.5e-5), ("1", 1.0)],
)
def test_a_number_is_a_number_however_it_is_written(
    written: str, expected: float, tmp_path: Path
) -> None:
    """PyYAML alone takes 1e-5 for a word."""
    path = write(tmp_path, f"{SMALLEST}training: {{learning_rate: {written}}}")
    assert expected == read_config(path).training.learning_rate


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "NO"])
def test_a_yaml_truth_value_as_a_label_is_explained(word: str, tmp_path: Path) -> None:
    """`no` is false to YAML: the message says so, and how to write the label."""
    message = refusal(tmp_path, SMALLEST.replace("[A]", f"[A, {word}]"))
    assert "data.labels.1" in message
    assert 'write it in quotes, "no"' in message
    path = write(tmp_path, SMALLEST.replace("[A]", f'[A, "{word}"]'))
    assert ["A", word] == read_config(path).data.labels


@pytest.mark.parametrize(
    "section",
    [
        "training: {max_steps: '6'}",
        "training: {max_steps: 6.0}",
        "training: {freeze_embeddings: 1}",
        "training: {freeze_embeddings: 'true'}",
        "training: {learning_rate: '1e-5'}",
        "model: {encoder: 3}",
        "model: [window, 64]",
        "training: fast",
    ],
)
def test_nothing_is_turned_into_another_type(section: str, tmp_path: Path) -> None:
    """A value of a wrong type is a mistake, however near it is."""
    assert "(found" in refusal(tmp_path, SMALLEST + section)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("training: {learning_rate: 0}", "greater than 0"),
        ("training: {warmup: 1}", "less than 1"),
        ("training: {precision: fp16}", "'auto', 'bf16' or 'fp32'"),
        ("model: {window: 64, overlap: 32}", "overlap 32 must be below half the window 64"),
        ("model: {sha256: abc}", "should match pattern"),
        ("export: {max_f1_loss: 2}", "less than or equal to 1"),
        ("evaluation: {splits: [train]}", "'dev' or 'test'"),
    ],
)
def test_values_out_of_range_are_refused(section: str, expected: str, tmp_path: Path) -> None:
    """The bound is in the message."""
    assert expected in refusal(tmp_path, SMALLEST + section)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "a b"])
def test_a_name_is_a_folder_s_name(name: str, tmp_path: Path) -> None:
    """The model goes to models/NAME, and nowhere else."""
    assert "name: " in refusal(tmp_path, SMALLEST.replace("x", f"'{name}'", 1))


@pytest.mark.parametrize("labels", ["[]", "[A, B, A]", "['']", "[' A']"])
def test_labels_are_several_different_words(labels: str, tmp_path: Path) -> None:
    """None, one twice, or one without a name cannot be told apart by a model."""
    assert "data.labels" in refusal(tmp_path, SMALLEST.replace("[A]", labels))


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    """Values are YAML; a section that the file leaves out is made."""
    overrides = ["name=y", "training.seed=7", "data.labels=[A, B]", "training.learning_rate=1e-5"]
    config = read_config(write(tmp_path, SMALLEST), overrides)
    assert ("y", 7, ["A", "B"]) == (config.name, config.training.seed, config.data.labels)
    assert 1e-5 == config.training.learning_rate


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.sed=7", "override training.sed: unknown key; did you mean seed?"),
        ("training.seed=x", "override training.seed: input should be a valid integer (found 'x')"),
        ("training.seed", "override 'training.seed': expected section.key=value"),
        ("=3", "override '=3': expected section.key=value"),
        ("training..seed=3", "override 'training..seed=3': expected section.key=value"),
        ("training.seed=[1", "override 'training.seed=[1': the value is not YAML"),
        ("name=2024-13-45", "override 'name=2024-13-45': the value is not YAML"),
        ("name.x=3", "override 'name.x=3': name is no section"),
        ("data.labels.0=B", "override 'data.labels.0=B': labels is no section"),
    ],
)
def test_a_wrong_override_is_named(override: str, expected: str, tmp_path: Path) -> None:
    """It is told from a mistake in the file."""
    assert expected in refusal(tmp_path, SMALLEST, override)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\nname: y\n", "run.yaml, line 2, column 1: not YAML: the key name stands twice"),
        ("data:\n  dev: a\n  dev: b\n", "line 3, column 3: not YAML: the key dev stands twice"),
        ("name: [x\ndata: y\n", "run.yaml, line 2, column 5: not YAML"),
        ("name: x\n\tdata: y\n", "run.yaml, line 2, column 1: not YAML"),
        ("[a]: 1\n", "run.yaml, line 1, column 1: not YAML: found unhashable key"),
        ("name: *x\n", "run.yaml, line 1, column 7: not YAML: found undefined alias"),
        ("name: 2024-13-45\n", "run.yaml: a value that YAML cannot read: month must be in"),
        ("name: \x00\n", "run.yaml: not YAML: unacceptable character"),
        ("!!python/object:os.system x\n", "not YAML: could not determine a constructor"),
        ("", "run.yaml: an empty file"),
        ("# nothing\n", "run.yaml: an empty file"),
        ("- a\n", "run.yaml: a list"),
        ("word", "run.yaml: a str"),
    ],
)
def test_what_is_no_mapping_of_sections_is_refused(
    text: str, expected: str, tmp_path: Path
) -> None:
    """With line and column wherever YAML gives them."""
    assert expected in refusal(tmp_path, text)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """As a `ConfigError`, with line and offset."""
    path = tmp_path / "run.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match="byte 0xe9 at offset 9 is not UTF-8"):
        read_config(path)


printable = st.text(string.printable + "é😀\u2028\u00a0#:'\"", max_size=20)
rates = st.floats(1e-12, 1e3)


@settings(max_examples=40, deadline=None)
@given(path=printable, more=printable, rate=rates, head=rates, steps=st.none() | st.integers(1))
def test_a_config_that_is_written_reads_back_the_same(
    *,
    path: str,
    more: str,
    rate: float,
    head: float,
    steps: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever stands in it: quotes, signs, line breaks, small numbers."""
    data = DataSection(
        train=path, dev=more, test="no", labels=["NO", "yes", "1"], ignore_labels=[more]
    )
    training = TrainingSection(learning_rate=rate, head_learning_rate=head, max_steps=steps)
    config = Config(name="1e3", data=data, training=training)
    folder = tmp_path_factory.getbasetemp()
    assert config == read_config(write(folder, to_yaml(config)))


def expected_lines(section: type[Section], indent: str = "") -> Iterator[tuple[str, str]]:
    """Each key as it is written, with the comment that should stand above it."""
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield f"{indent}{name}:", f"{indent}# {(inner.__doc__ or '').splitlines()[0]}"
            yield from expected_lines(inner, f"{indent}  ")
        elif name != "search":  # stands only where it was given
            yield f"{indent}{name}:", f"{indent}# {field.description}"


def test_every_setting_is_written_with_its_explanation_above(tmp_path: Path) -> None:
    """`config show` and `config new` are the documentation of the settings."""
    lines = to_yaml(read_config(write(tmp_path, SMALLEST))).splitlines()
    written = [
        (line.partition(":")[0] + ":", above)
        for above, line in pairwise(["", *lines])
        if line and not line.lstrip().startswith("#")
    ]
    assert list(expected_lines(Config)) == written
    assert not any("None" in comment for _, comment in written)


SEARCHING = (
    SMALLEST
    + """\
search:
  training.learning_rate: {low: 5e-5, high: 5e-4, log: true}
  training.batch_size: [8, 16]
  model.dropout: [null, 0.2]
"""
)


def test_what_a_search_tries_is_read_and_written(tmp_path: Path) -> None:
    """Ranges and lists, by dotted key; the settings themselves stay as they are."""
    config = read_config(write(tmp_path, SEARCHING))
    assert {
        "training.learning_rate": Range(low=5e-5, high=5e-4, log=True),
        "training.batch_size": [8, 16],
        "model.dropout": [None, 0.2],
    } == config.search
    assert TrainingSection() == config.training
    assert config == read_config(write(tmp_path, to_yaml(config)))
    assert config == Config.model_validate(json.loads(json.dumps(config.model_dump())))
    assert to_yaml(config).startswith(to_yaml(read_config(write(tmp_path, SMALLEST))))


def test_an_override_adds_to_what_a_search_tries(tmp_path: Path) -> None:
    """The rest of its key is the setting's own dotted key."""
    config = read_config(write(tmp_path, SMALLEST), ["search.model.window=[64, 128]"])
    assert {"model.window": [64, 128]} == config.search


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        (
            "training.learning_rat: [1.0, 2.0]",
            "4: search.training.learning_rat: unknown key; did you mean training.learning_rate?",
        ),
        ("data.train: [a, b]", "run.yaml:4: search.data.train: unknown key"),
        ("training.seed: [1, 2]", "search.training.seed: unknown key"),
        (
            "model.dropout: {low: 0.0, hihg: 0.3}",
            "run.yaml:4: search.model.dropout.hihg: unknown key; did you mean high?",
        ),
        ("model.dropout: {low: 0.3, high: 0.1}", "low 0.3 must be below high 0.1"),
        ("model.dropout: {low: 0, high: 0.1, log: true}", "low 0 must be above 0"),
        ("model.dropout: {low: 0, high: 1}", "model.dropout cannot be 1: "),
        ("training.batch_size: [8, 0]", "training.batch_size cannot be 0: "),
        ("training.batch_size: {low: 1.5, high: 4}", "training.batch_size cannot be 1.5: "),
        ("training.batch_size: [8, 8]", "training.batch_size: 8 stands twice"),
        ("training.batch_size: [8]", "at least 2 items"),
        ("training.batch_size: 8", "should be a valid list (found 8)"),
        ("model.word_shapes: {low: 0, high: 1}", "model.word_shapes cannot be 0"),
    ],
)
def test_what_a_search_cannot_try_is_refused(tried: str, expected: str, tmp_path: Path) -> None:
    """With the setting, before the first trial."""
    assert expected in refusal(tmp_path, f"{SMALLEST}search:\n  {tried}\n")


def test_an_empty_search_is_refused(tmp_path: Path) -> None:
    """There would be nothing to try."""
    assert "search" in refusal(tmp_path, f"{SMALLEST}search: {{}}\n")
