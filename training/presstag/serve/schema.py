"""What requests and answers look like: the schema at /openapi.json comes from here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

MinScore = Annotated[
    float, Field(ge=0, le=1, strict=True, description="Spans with a lower score are left out.")
]


class OneText(BaseModel):
    """One text to tag."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="The article, of any length.")
    min_score: MinScore = 0.0


class ManyTexts(BaseModel):
    """Several texts to tag."""

    model_config = ConfigDict(extra="forbid")

    texts: list[str] = Field(min_length=1, description="The articles.")
    min_score: MinScore = 0.0


def _kind(body: Any) -> str:
    return "texts" if isinstance(body, dict) and "texts" in body else "text"


Asked = Annotated[
    Annotated[OneText, Tag("text")] | Annotated[ManyTexts, Tag("texts")], Discriminator(_kind)
]

EXAMPLES: dict[str, Example] = {
    "one text": {"value": {"text": "Belgium pledged 611 million euros."}},
    "several texts": {
        "value": {"texts": ["Norway will send tanks.", "Nothing was given."], "min_score": 0.5}
    },
}


class FoundSpan(BaseModel):
    """A labelled stretch of the text.

    Offsets are half-open and count Unicode code points of the text as it was sent: neither bytes
    nor UTF-16 units. An emoji counts as the code points that it is made of, CRLF as two.
    """

    start: int = Field(ge=0, description="The first code point.")
    end: int = Field(ge=1, description="One past the last code point.")
    label: str
    text: str = Field(description="The words themselves.")
    score: float = Field(
        ge=0, le=1, description="How likely exactly this span is right; rounded to four places."
    )


class Spans(BaseModel):
    """The spans of a text: in order, none overlapping another."""

    spans: list[FoundSpan]


class Failed(BaseModel):
    """A text that the model failed on; the others of the request have their spans."""

    error: str


class Results(BaseModel):
    """A result for each text, in order."""

    results: list[Spans | Failed]


class Fault(BaseModel):
    """Why there are no spans."""

    detail: str


class ServedModel(BaseModel):
    """The model that answers."""

    name: str
    digest: str | None = Field(description="SHA-256 of its network, as its manifest says.")
    labels: list[str]


class Health(BaseModel):
    """That the service is up, and what it did so far."""

    status: str
    model: ServedModel
    presstag: str = Field(description="The version of presstag.")
    uptime: float = Field(ge=0, description="Seconds since the start.")
    requests_served: int = Field(ge=0, description="Requests answered with spans.")
    requests_under_way: int = Field(ge=0)


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Fault, "description": "The body is not JSON in UTF-8."},
    408: {"model": Fault, "description": "The body came in too slowly."},
    413: {"model": Fault, "description": "The body is too large."},
    422: {"model": Fault, "description": "The body does not fit the schema."},
    500: {"model": Fault, "description": "The model failed on the text."},
    503: {
        "model": Fault,
        "description": "Too many requests are under way.",
        "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    },
    504: {"model": Fault, "description": "The texts were not tagged within the time limit."},
}
