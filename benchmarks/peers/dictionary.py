"""What memory alone gives: the forms that train's annotations have."""

from __future__ import annotations

from pathlib import Path

from peers.ground import Contender, Ground, Settings

from presstag.evaluate.baseline import Dictionary, make_dictionary


def learn(
    ground: Ground,
    settings: Settings,  # noqa: ARG001
    *,
    seed: int,  # noqa: ARG001
    folder: Path,  # noqa: ARG001
) -> Dictionary:
    """Collect the forms."""
    return make_dictionary(ground.train, labels=ground.labels)


DICTIONARY = Contender(name="dictionary", title="Dictionary of train", learn=learn, seeded=False)
