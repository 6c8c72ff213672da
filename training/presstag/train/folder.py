"""What training leaves in a model folder, by name, beside the packed model's own files."""

from __future__ import annotations

CHECKPOINT = "checkpoint"
"""The best checkpoint, as transformers saves one, with the record and the config of its run."""

TRAINING = "training"
"""TensorBoard's logs, and states to resume from while a run is not over."""

SCORES = "scores.json"
"""What the packed model scored on each split."""

REJECTED = "rejected.jsonl"
"""Regions that could not be read; left out where there are none."""

CARD = "README.md"
"""The model card."""

CURVES = "curves.png"
"""How training went, as a picture."""

RUNS = "runs.json"
"""The figures of several runs of one config."""

SEARCH = "search.sqlite3"
"""Every trial of a search, as optuna keeps them: a search goes on from here."""

IMPORTANCE = "importance.png"
"""How much each setting that was searched mattered, as a picture."""
