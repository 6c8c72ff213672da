"""The service against its own schema, with requests that schemathesis thinks of."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from presstag.serve.app import make_app


@pytest.mark.parametrize(("path", "method"), [("/extract", "POST"), ("/health", "GET")])
def test_every_answer_is_as_the_schema_says(shared: Any, path: str, method: str) -> None:
    """Statuses, types, headers and bodies; what does not fit is refused, what fits is not."""
    own = schemathesis.openapi.from_url(f"{shared.url}/openapi.json")

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=own[path][method].as_strategy())
    def holds(case: Any) -> None:
        case.call_and_validate()

    holds()


def test_the_schema_says_what_a_program_must_know(slow: Any) -> None:
    """Offsets, limits, the reasons to be refused, examples that can be sent as they are."""
    made = make_app(slow).openapi()
    spans = made["components"]["schemas"]["FoundSpan"]
    assert "half-open and count Unicode code points" in spans["description"]
    assert 256 == made["components"]["schemas"]["ManyTexts"]["properties"]["texts"]["maxItems"]
    asked = made["paths"]["/extract"]["post"]
    assert {"200", "400", "408", "413", "422", "500", "503", "504"} == set(asked["responses"])
    assert "At most 256 texts and 2,000,000 bytes in a request, and 30 s" in asked["description"]
    assert 2 == len(asked["requestBody"]["content"]["application/json"]["examples"])


def test_examples_of_the_schema_are_answered(shared: Any) -> None:
    """Each as it stands."""
    made = shared.http.get("/openapi.json").json()
    content = made["paths"]["/extract"]["post"]["requestBody"]["content"]["application/json"]
    examples = [example["value"] for example in content["examples"].values()]
    assert [200, 200] == [shared.extract(**example).status_code for example in examples]
