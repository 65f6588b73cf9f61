"""Settings: one typed object from the environment (`GAOKERENA_*`) and a TOML file; an unknown key stops the start.

    GAOKERENA_PRESET=echo GAOKERENA_PORT=7861 python app.py
    GAOKERENA_CONFIG=my.toml python app.py              # gaokerena.toml in the working folder is read unasked

The environment wins over the file. Secrets (API keys) are never printed. Names and meaning: docs/settings.md, which
`python -m gaokerena settings --markdown` writes.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableError

from gaokerena.engines.endpoint_model import EndpointModel
from gaokerena.engines.translated import Pipeline

PREFIX = "GAOKERENA_"
CONFIG = "GAOKERENA_CONFIG"
DEFAULT_FILE = "gaokerena.toml"
PresetName = Literal["mini", "gaokerena", "endpoint", "recorded", "echo"]


class SettingsError(Exception):
    """English: which setting, what is wrong with it, what to do."""


class Settings(BaseSettings):
    """Everything that can be set. Paths are relative to the working folder. Arguments win over environment and file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_nested_delimiter="__")

    preset: PresetName = Field("mini", description="which models answer: mini, gaokerena, endpoint, recorded or echo")
    language: Literal["fa", "en"] = Field("fa", description="language the page opens in")
    host: str = Field("127.0.0.1", description="address the page listens on; 0.0.0.0 for every network")
    port: int = Field(7860, ge=0, le=65535, description="port of the page; 0 takes a free one")
    store_path: Path = Field(Path("runs/votes.sqlite3"), description="where comparisons and verdicts are kept")
    outbox: Path | None = Field(
        None,
        description="a folder where judged comparisons, with the visitor's consent, wait for `python -m annotation "
        "deliver`, which takes them to the doctors",
    )
    study: Path | None = Field(
        None,
        description="a blinded file of items, made by `python -m annotation study-file`, that doctors judge in a tab "
        "of the page",
    )
    study_out: Path = Field(Path("runs/study.jsonl"), description="where the verdicts of the study are kept")
    data: Path | None = Field(None, description="folder with the published tables: suites and recorded answers")
    cache: Path | None = Field(
        None,
        description="a JSONL file where fresh answers are kept and found again, on the page only those whose visitor "
        "agreed to it; the preset recorded has no fresh answers and does not use it",
    )
    seed: int = Field(0, description="seed of the seating and of sampling")
    max_question_chars: int = Field(4000, ge=100, description="longest question that is taken")
    device: str = Field("auto", description="auto, cpu, cuda or mps")
    dtype: str = Field("auto", description="auto, float32, bfloat16 or float16")
    quantise: Literal["none", "4bit"] = Field("none", description="4bit needs a CUDA GPU and bitsandbytes")
    threads: int = Field(0, ge=0, description="threads to compute with; 0: one for a small model, else torch's choice")
    max_rows: int = Field(16, ge=1, description="answers decoded together at most")
    max_tokens: int = Field(0, ge=0, description="tokens of all answers in memory at most; 0: what memory allows")
    base: str | None = Field(None, description="another base model: a folder or a Hub repository")
    adapters: dict[str, str] = Field({}, description="adapters by model name instead of the preset's: v, r, ...")
    rounds: Path | None = Field(
        Path("models/rounds"),
        description="a folder where `python -m training round` puts adapters of the local preset's base; the page "
        "offers each beside V and R as soon as it is there",
    )
    endpoints: dict[str, EndpointModel] = Field({}, description="models of the preset endpoint, by name (v, r)")
    pipelines: dict[str, Pipeline] = Field(
        {}, description="translate-and-ask, by name: the preset's models that translate and that answer"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        return (init_settings, env_settings, InitSettingsSource(settings_cls, _read_file()))


def load_settings(**overrides: Any) -> Settings:
    """Settings from the file and the environment; `overrides` (a command's options) win over both.

    Raises SettingsError for an unknown key, a wrong value or a file that cannot be read, naming each.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings(**overrides)
    except UnreadableError as error:
        raise SettingsError(f"{error}: write it in {PREFIX}* as JSON, or put it into {_path()}") from None
    except ValidationError as error:
        where = f" (in {_path()} or {PREFIX}* in the environment)"
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)
        )
        raise SettingsError(f"settings cannot be used{where}: {faults}") from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG}
    parted = {PREFIX + name.upper() for name, field in Settings.model_fields.items() if field.default == {}}
    for name in environment:
        upper, parts = name.upper(), name.upper().split("__")
        fits = parts[0] in parted if len(parts) > 1 else upper in known
        if upper.startswith(PREFIX) and not fits:
            raise SettingsError(f"unknown setting {name} in the environment; known are {', '.join(sorted(known))}")


def _path() -> Path:
    return Path(os.environ.get(CONFIG, DEFAULT_FILE))


def _read_file() -> dict[str, Any]:
    path = _path()
    if not path.exists():
        if CONFIG in os.environ:
            raise SettingsError(f"{CONFIG} names {path}, which does not exist")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); {CONFIG} must name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error


def shown(settings: Settings) -> str:
    """The settings, one a line, without secrets; unset ones are left out."""
    lines = []
    for name, value in settings:
        if value not in (None, {}):
            plain = {key: repr(model) for key, model in value.items()} if name == "endpoints" else value
            lines.append(f"  {name} = {plain}")
    return "\n".join(lines)


def as_markdown() -> str:
    """The table of docs/settings.md."""
    head = ["| setting | environment | default | meaning |", "| --- | --- | --- | --- |"]
    rows = []
    for name, field in Settings.model_fields.items():
        default = "-" if field.get_default() is None else field.get_default()
        rows.append(f"| `{name}` | `{PREFIX}{name.upper()}` | `{default}` | {field.description} |")
    return "\n".join(head + rows)
