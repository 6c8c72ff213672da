"""A trained model onto a Hugging Face hub: the packed model, its card, and the checkpoint.

No hub was in reach where this was written: it is tested against a local imitation only.
Nothing here needs torch.
"""

from __future__ import annotations

from pathlib import Path

from presstag.bundle import MANIFEST, NETWORK, TOKENIZER, load_bundle
from presstag.errors import ConfigError, ModelError, PresstagError
from presstag.train.folder import CARD, CHECKPOINT, CURVES, SCORES
from presstag.writing import write_text

_NEEDED = (CARD, MANIFEST, NETWORK, TOKENIZER)
_WELCOME = (SCORES, CURVES)
_OF_CHECKPOINT = (
    "config.json",
    "config.yaml",
    "model.safetensors",
    "run.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


def list_files(model: Path, *, checkpoint: bool) -> list[str]:
    """Name what would be published, as paths in the model folder.

    Nothing else is: no states to resume from, no logs, no other runs, no rejected annotations.

    Raises:
        ModelError: if the packed model, its card, or the checkpoint that is asked for is missing.
    """
    weights = f"{CHECKPOINT}/model.safetensors"
    needed = [*_NEEDED, weights] if checkpoint else list(_NEEDED)
    if missing := [name for name in needed if not (model / name).is_file()]:
        raise ModelError(
            str(model),
            f"no {', '.join(missing)} in it" if model.is_dir() else "no such model folder",
            expected="a model that presstag train made",
            do="leave the checkpoint out: --no-checkpoint."
            if missing == [weights]
            else "train it again.",
        )
    wanted = [*_NEEDED, *_WELCOME]
    wanted += [f"{CHECKPOINT}/{name}" for name in _OF_CHECKPOINT] if checkpoint else []
    return [name for name in wanted if (model / name).is_file()]


def publish(
    model: Path,
    repo: str,
    *,
    checkpoint: bool = True,
    private: bool = False,
    language: str | None = None,
    license_name: str | None = None,
) -> str:
    """Push a model to a hub; the repository is made if there is none.

    The token and the hub's address are taken from huggingface_hub's usual places: HF_TOKEN or what
    `hf auth login` kept, and HF_ENDPOINT.

    Args:
        model: a folder that training wrote; the packed model in it is checked first.
        repo: OWNER/NAME on the hub.
        checkpoint: push the checkpoint too.
        private: make the repository, if there is none, a private one.
        language: for the card's head, e.g. en; None leaves the card as it is.
        license_name: for the card's head, e.g. apache-2.0; None leaves the card as it is.

    Returns:
        The address of what was pushed.

    Raises:
        ModelError: if the model is incomplete or damaged.
        PresstagError: if the hub cannot be reached or refuses.
    """
    names = list_files(model, checkpoint=checkpoint)
    load_bundle(model)
    try:
        import huggingface_hub  # noqa: PLC0415 - listing files needs no hub
    except ImportError:
        missing, do = "the package huggingface_hub is missing", "pip install 'presstag[train]'"
        raise PresstagError("presstag publish", missing, do=do) from None
    if huggingface_hub.get_token() is None:
        raise PresstagError(repo, "no token for the hub", do="hf auth login, or set HF_TOKEN.")
    if language is not None or license_name is not None:
        card = (model / CARD).read_text(encoding="utf-8")
        write_text(model / CARD, relabel(card, language=language, license_name=license_name))
    api = huggingface_hub.HfApi()
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        pushed = api.upload_folder(
            repo_id=repo,
            folder_path=model,
            allow_patterns=names,
            commit_message=f"presstag publish {model.name}",
        )
    except Exception as error:  # noqa: BLE001 - hub, HTTP client and checks each raise their own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PresstagError(
            f"{repo} on {api.endpoint}",
            f"not published: {reason:.400}",
            expected="OWNER/NAME, a hub in reach, and a token that may write there",
            do="mend that and publish again; files that arrived are not sent twice.",
        ) from None
    return str(pushed.commit_url)


def relabel(card: str, *, language: str | None = None, license_name: str | None = None) -> str:
    """Set language and license in a card's head; None leaves what stands there.

    Raises:
        ConfigError: if the card's head is not one that a hub reads.
    """
    from huggingface_hub import ModelCard  # noqa: PLC0415 - brings Jinja2

    try:
        read = ModelCard(card)
    except Exception as error:  # noqa: BLE001 - YAML and hub each raise their own
        reason = str(error).replace("\n", " ")
        raise ConfigError(CARD, f"no model card: {reason:.200}", do="export again.") from None
    given = {"language": language, "license": license_name}
    for key, value in given.items():
        if value is not None:
            read.data[key] = value
    return str(read)
