"""The labelling interface of a project: written from a scheme's labels, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from label_studio_sdk._legacy.exceptions import LabelStudioXMLSyntaxErrorSentryIgnored
from label_studio_sdk.label_interface.interface import LabelInterface

from presstag.colours import label_fills
from presstag.errors import ServerError

_HOT_KEYS = "1234567890"


@dataclass(frozen=True, slots=True)
class Interface:
    """What a project lets people mark.

    Attributes:
        labels: in the order of the interface, as regions name them.
        from_name: name of its `Labels` element.
        to_name: name of its `Text` element.
        text_key: the field of a task's `data` that it shows.
        granularity: what a selection snaps to: symbol, word, sentence or paragraph.
    """

    labels: tuple[str, ...]
    from_name: str = "label"
    to_name: str = "text"
    text_key: str = "text"
    granularity: str = "symbol"

    @property
    def note(self) -> str:
        """What an annotator should know of it; empty where all is well."""
        if self.granularity == "symbol":
            return ""
        return (
            f"the interface selects whole {self.granularity}s: spans that begin or end within one "
            'can be suggested but not marked; granularity="symbol" lets people mark them'
        )


def labelling_interface(labels: Sequence[str]) -> str:
    """Write the interface of a scheme: colours, hot keys, spans to the character."""
    lines = ["<View>", '  <Labels name="label" toName="text" showInline="true">']
    for i, (label, fill) in enumerate(zip(labels, label_fills(len(labels)), strict=True)):
        key = f' hotkey="{_HOT_KEYS[i]}"' if i < len(_HOT_KEYS) else ""
        lines.append(f'    <Label value={quoteattr(label)} background="{fill}"{key}/>')
    text = '  <Text name="text" value="$text" granularity="symbol"/>'
    return "\n".join([*lines, "  </Labels>", text, "</View>"]) + "\n"


def read_interface(xml: str, *, where: str = "the project's labelling interface") -> Interface:
    """Read where spans are marked in a project, and with which labels.

    Args:
        xml: the interface, as `Project.interface` has it.
        where: what to call it in messages.

    Raises:
        ServerError: if it does not have exactly one `Labels` for exactly one `Text`.
    """
    try:
        controls: list[Any] = list(LabelInterface(xml).controls or [])
    except (LabelStudioXMLSyntaxErrorSentryIgnored, ValueError, LookupError, TypeError) as error:
        raise _unfit(where, f"cannot be read: {error}") from None
    marking = [c for c in controls if c.tag.lower() == "labels"]
    if not marking:
        elements = ", ".join(f"{c.tag} {c.name}" for c in controls)
        raise _unfit(where, f"marks no spans; it has {elements or 'nothing to annotate with'}")
    if len(marking) > 1:
        names = ", ".join(c.name for c in marking)
        raise _unfit(where, f"has {len(marking)} Labels elements: {names}")
    (control,) = marking
    text = _text(control, where)
    labels = tuple(str(label) for label in control.labels if label)
    if not labels:
        raise _unfit(where, f"Labels {control.name} has no Label")
    granularity = str(text.attr.get("granularity", "symbol"))
    return Interface(labels, control.name, text.name, text.value[1:], granularity)


def _text(control: Any, where: str) -> Any:
    """The `Text` that a `Labels` points to."""
    name, targets = control.name, control.objects
    if not targets:
        to = ", ".join(control.to_name)
        raise _unfit(where, f"Labels {name} points to {to}, which is not there")
    if len(targets) > 1:
        to = ", ".join(t.name for t in targets)
        raise _unfit(where, f"Labels {name} points to {len(targets)} elements: {to}")
    (text,) = targets
    if text.tag.lower() != "text":
        raise _unfit(
            where, f"Labels {name} points to a {text.tag}, whose offsets are not the text's"
        )
    if not text.value.startswith("$") or text.value == "$":
        found = f"Text {text.name} always shows {text.value!r:.60}, and no field of the task"
        raise _unfit(where, found)
    if str(text.value_type or "text").lower() != "text":
        raise _unfit(where, f"Text {text.name} shows what an address leads to, not the task's text")
    return text


def _unfit(where: str, found: str) -> ServerError:
    return ServerError(
        where,
        found,
        expected='one Labels element for one Text element with value="$FIELD"',
        do="change it in Label Studio, or make a project with: presstag label new",
    )
