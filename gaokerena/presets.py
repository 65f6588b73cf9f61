"""Presets: named sets of models. `mini` ships with the repository, `gaokerena` is the real pair, `endpoint` is served
elsewhere, `recorded` plays what the published models said to the suites' questions, `echo` needs no model at all.

    preset = load_preset(load_settings())
    preset.engine.stream([...])

A preset's first two models sit side by side on the page. Not covered: switching presets while running.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gaokerena.engines.base import Engine, EngineError, Sampling
from gaokerena.engines.echo import EchoEngine
from gaokerena.questions import Prompting
from gaokerena.settings import PresetName, Settings

log = logging.getLogger(__name__)

MODELS = Path(__file__).parent.parent / "models"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a preset: how it is called, asked and sampled."""

    name: str
    label: str
    prompting: Prompting
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Preset:
    """Models ready to answer; the notes are the one line the page shows about them.

    `revisions` names the weights of those models whose engine knows them before it has answered.
    """

    name: PresetName
    engine: Engine
    models: Mapping[str, ModelInfo]
    note_fa: str = ""
    note_en: str = ""
    revisions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a preset is made of before anything is loaded."""

    base: str
    adapters: Mapping[str, str]
    labels: Mapping[str, str]
    straight: Sampling
    cot: Sampling
    note_fa: str = ""
    note_en: str = ""


_MINI_NOTE_FA = "این دو مدل کوچک فقط نشان می‌دهند سامانه چگونه کار می‌کند؛ پزشکی نمی‌دانند و به گفته‌شان نباید عمل کرد."
_MINI_NOTE_EN = (
    "These two small models only show how the system works; they know no medicine, "
    "and nothing they say should be acted on."
)

PLANS: Mapping[str, _Plan] = {
    "mini": _Plan(
        base=str(MODELS / "mini" / "base"),
        adapters={"v": str(MODELS / "mini" / "v"), "r": str(MODELS / "mini" / "r")},
        labels={"v": "گوکرنا-V کوچک", "r": "گوکرنا-R کوچک"},
        straight=Sampling(temperature=0.7, top_p=0.9, repetition_penalty=1.2, max_new_tokens=320),
        cot=Sampling(temperature=0.7, top_p=0.9, repetition_penalty=1.2, max_new_tokens=448),
        note_fa=_MINI_NOTE_FA,
        note_en=_MINI_NOTE_EN,
    ),
    "gaokerena": _Plan(
        base="CohereLabs/aya-expanse-8b",
        adapters={"v": "gaokerena/gaokerena-v1.0", "r": "gaokerena/gaokerena-r1.0"},
        labels={"v": "گوکرنا-V", "r": "گوکرنا-R"},
        straight=Sampling(max_new_tokens=1024),
        cot=Sampling(temperature=1.0, max_new_tokens=1024),
    ),
}


def load_preset(settings: Settings) -> Preset:
    """The preset the settings name, its models loaded. Raises EngineError when they cannot be."""
    if settings.preset == "echo":
        return _with_cache(settings, _echo())
    if settings.preset == "recorded":
        return _recorded(settings)
    if settings.preset == "endpoint":
        return _with_cache(settings, _endpoint(settings))
    return _with_cache(settings, _local(settings, PLANS[settings.preset]))


def _info(name: str, label: str, prompting: Prompting, plan: _Plan) -> ModelInfo:
    return ModelInfo(name, label, prompting, plan.cot if prompting == "cot" else plan.straight)


def _local(settings: Settings, plan: _Plan) -> Preset:
    from gaokerena.engines.local import LocalEngine

    adapters = {**plan.adapters, **settings.adapters}
    engine = LocalEngine(
        settings.base or plan.base,
        adapters,
        device=settings.device,
        dtype=settings.dtype,
        quantise=settings.quantise,
        max_rows=settings.max_rows,
        max_tokens=settings.max_tokens,
        threads=settings.threads,
    )
    models = {
        name: _info(name, plan.labels.get(name, name), "straight" if name == "v" else "cot", plan) for name in adapters
    }
    return Preset(settings.preset, engine, models, plan.note_fa, plan.note_en, engine.loaded.revisions)


def _endpoint(settings: Settings) -> Preset:
    from gaokerena.engines.endpoint import EndpointEngine

    if not {"v", "r"} <= set(settings.endpoints):
        raise EngineError(
            "the preset endpoint needs [endpoints.v] and [endpoints.r] in gaokerena.toml, each with base_url and model "
            f"(there is: {', '.join(settings.endpoints) or 'nothing'})"
        )
    plan = PLANS["gaokerena"]
    default: dict[str, Prompting] = {"r": "cot"}
    models = {}
    for name, model in settings.endpoints.items():
        prompting = model.prompting if "prompting" in model.model_fields_set else default.get(name, "straight")
        models[name] = _info(name, plan.labels.get(name, model.model), prompting, plan)
    revisions = {name: model.revision for name, model in settings.endpoints.items() if model.revision}
    return Preset("endpoint", EndpointEngine(settings.endpoints), models, revisions=revisions)


def _recorded(settings: Settings) -> Preset:
    from gaokerena.engines.recorded import RecordedEngine
    from gaokerena.transcripts import TranscriptsError

    if settings.cache is not None:
        log.warning("the preset recorded makes no fresh answers, so the cache %s is not used", settings.cache)
    source = settings.data / "transcripts.parquet" if settings.data else None
    if source is None or not source.exists():
        where = f"{source} does not exist" if source else "GAOKERENA_DATA is not set"
        raise EngineError(f"the preset recorded plays transcripts.parquet of the data folder, and {where}")
    try:
        engine = RecordedEngine([source], pace=600.0)
    except TranscriptsError as error:
        raise EngineError(str(error)) from error
    plan = PLANS["gaokerena"]
    models = {"v": _info("v", plan.labels["v"], "straight", plan), "r": _info("r", plan.labels["r"], "cot", plan)}
    note_fa = "پاسخ‌ها ضبط‌شده‌اند: آنچه گوکرنای منتشرشده به پرسش‌های آزمون‌ها گفته است. برای پرسش دیگر پاسخی نیست."
    note_en = "Recorded: what the published Gaokerena said to the exams' questions. There is no answer to any other."
    return Preset("recorded", engine, models, note_fa, note_en)


def _echo() -> Preset:
    sampling = Sampling()
    models = {"v": ModelInfo("v", "پژواک V", "straight", sampling), "r": ModelInfo("r", "پژواک R", "cot", sampling)}
    note_fa = "هیچ مدلی در کار نیست: پاسخ‌ها پژواکِ پرسش‌اند."
    note_en = "No model is at work: the answers echo the question."
    return Preset("echo", EchoEngine(), models, note_fa, note_en, dict.fromkeys(models, "echo"))


def _with_cache(settings: Settings, preset: Preset) -> Preset:
    """The preset behind the store of recorded answers, when the settings name one."""
    if settings.cache is None:
        return preset
    from gaokerena.engines.recorded import RecordedEngine
    from gaokerena.transcripts import TranscriptsError

    try:
        engine = RecordedEngine([], fallback=preset.engine, cache=settings.cache, revisions=preset.revisions)
    except (TranscriptsError, OSError) as error:
        preset.engine.close()
        raise EngineError(f"the cache {settings.cache} cannot be used: {error}; see GAOKERENA_CACHE") from error
    return replace(preset, engine=engine)
