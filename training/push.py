"""Send an adapter to the Hub: first a look at what would be sent and what is wrong with it, then the sending.

    parcel = look(Path("models/rounds/r2"), "owner/gaokerena-r2", "CohereLabs/aya-expanse-8b")
    parcel.sizes, parcel.problems
    send(parcel, public=False)           # only a parcel without problems; the commit's address

Only named files are sent. Card and adapter config name the base as its repository (`base_model`), which a folder on one
machine is not. The key comes from huggingface_hub (`hf auth login` or HF_TOKEN).

Not covered: bases; removing files that an earlier push left there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils._validators import validate_repo_id

from training.errors import TrainingError
from training.manifest import read_json

NEEDED = ("README.md", "adapter_config.json", "adapter_model.safetensors", "lineage.json")
WELCOME = (*NEEDED, "evaluation.json", "labels.jsonl")
"""Files that may be sent, those first that must be there."""
SECTIONS = ("Data statement", "Known weaknesses", "Lineage", "Licence")
_MACHINE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|mnt|work|workspace|data|var)/[\w./-]+")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Parcel:
    """What would be sent where, and why it must not be."""

    to: str
    files: dict[str, bytes]
    problems: list[str]

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(content) for name, content in self.files.items()}


def look(folder: Path, to: str, base_model: str | None = None) -> Parcel:
    """Everything that would be sent. Raises TrainingError for a folder that is none or a name the Hub does not take."""
    if not folder.is_dir():
        raise TrainingError(f"no folder at {folder}; `python -m training round` makes one")
    for what, name in (("--to", to), ("--base-model", base_model)):
        if name is not None:
            _check_name(what, name)
    earlier = _earlier(folder / "lineage.json")
    files = {name: (folder / name).read_bytes() for name in (*WELCOME, *earlier) if (folder / name).is_file()}
    problems = [f"{name} is missing" for name in (*NEEDED, *earlier) if name not in files]
    others = sorted(path.name for path in folder.iterdir() if path.name not in (*WELCOME, *earlier))
    problems += [f"{name} is not sent: move it out of the folder" for name in others]
    front: dict[str, Any] = {}
    if "README.md" in files:
        front, files["README.md"] = _card(files["README.md"].decode("utf-8"), base_model)
    if "adapter_config.json" in files:
        files["adapter_config.json"] = _config(files["adapter_config.json"], base_model)
    return Parcel(to, files, problems + _faults(front, files))


def _earlier(lineage: Path) -> list[str]:
    """The labels of the rounds before, as the lineage names them."""
    found, block = [], read_json(lineage).get("round", {}).get("before") if lineage.is_file() else None
    while block:
        found.append(f"labels.{block['name']}.jsonl")
        block = block.get("before")
    return found


def _check_name(option: str, name: str) -> None:
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise TrainingError(f"{option} {name}: {error}") from None
    if not _REPOSITORY.fullmatch(name):
        raise TrainingError(f"{option} {name}: give owner/name")


def _card(text: str, base_model: str | None) -> tuple[dict[str, Any], bytes]:
    """The front matter, and the card with the base's repository in it."""
    parts = text.split("---\n", 2)
    try:
        front = yaml.safe_load(parts[1]) if text.startswith("---\n") and len(parts) == 3 else {}
    except yaml.YAMLError:
        front = {}
    if not isinstance(front, dict) or not front:
        return {}, text.encode()
    if base_model:
        front["base_model"] = base_model
        text = f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n{parts[2]}"
    return front, text.encode()


def _config(content: bytes, base_model: str | None) -> bytes:
    if not base_model:
        return content
    config = json.loads(content) | {"base_model_name_or_path": base_model}
    return (json.dumps(config, ensure_ascii=False, indent=2) + "\n").encode()


def _faults(front: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """What is wrong with the card and with what the files say."""
    found = [f"the card's front matter has no {key}" for key in ("license", "language") if not front.get(key)]
    base = str(front.get("base_model", ""))
    if not _REPOSITORY.fullmatch(base) or base.startswith("."):
        found.append(f"the card's base_model {base!r} is no repository; give its repository with --base-model")
    text = files["README.md"].decode("utf-8") if "README.md" in files else ""
    found += [f"the card has no section {title}" for title in SECTIONS if f"## {title}\n" not in text]
    for name, content in files.items():
        if not name.endswith(".safetensors") and (hit := _MACHINE.search(content.decode("utf-8", "replace"))):
            found.append(f"{name} names a place of one machine: {hit[0]}")
    return found


def send(parcel: Parcel, *, public: bool = False) -> str:
    """Send it in one commit; the commit's address. Raises TrainingError for problems, and for what the Hub refuses."""
    if parcel.problems:
        raise TrainingError(f"not sent to {parcel.to}: {'; '.join(parcel.problems)}")
    operations = [CommitOperationAdd(name, content) for name, content in parcel.files.items()]
    try:
        api = HfApi(library_name="gaokerena")
        api.create_repo(parcel.to, private=not public, exist_ok=True)
        made = api.create_commit(parcel.to, operations, commit_message="Add an adapter with its card and lineage")
    except (HfHubHTTPError, OSError, ValueError) as error:
        cause = str(error).strip().splitlines() or [type(error).__name__]
        raise TrainingError(f"the Hub did not take {parcel.to}: {cause[0]}; log in with `hf auth login`") from error
    return str(made.commit_url)
