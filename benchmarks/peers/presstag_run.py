"""presstag as its users have it: a config's run, packed, by the packed model."""

from __future__ import annotations

from pathlib import Path

from peers.ground import Contender, Ground, Settings

from presstag import load
from presstag.evaluate.tagging import TextTagger
from presstag.train.config import Config
from presstag.train.data import RunData
from presstag.train.encoder import find_encoder
from presstag.train.export import export_checkpoint
from presstag.train.folder import CHECKPOINT
from presstag.train.run import train_checkpoint


def presstag(config: Config, data: RunData) -> Contender:
    """The contender that a config is; of `data` only what is known of its files is used."""

    def learn(
        ground: Ground,
        settings: Settings,  # noqa: ARG001
        *,
        seed: int,
        folder: Path,
    ) -> TextTagger:
        seeded = config.with_settings({"training.seed": seed})
        some = RunData(
            {"train": tuple(ground.train), "dev": tuple(ground.dev)}, (), dict(data.digests)
        )
        train_checkpoint(seeded, some, find_encoder(config.model), folder)
        export_checkpoint(
            folder / CHECKPOINT,
            folder,
            name=config.name,
            section=config.export,
            train=ground.train,
            dev=ground.dev,
            splits={},
        )
        return load(folder)

    return Contender(name="presstag", title=f"presstag, {config.name}", learn=learn)
