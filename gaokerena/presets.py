"""Presets: named sets of models. `mini` ships with the repository, `gaokerena` is the real pair, `endpoint` is served
elsewhere, `recorded` plays what the published models said to the suites' questions, `echo` needs no model at all.

    preset = load_preset(load_settings())
    preset.engine.stream([...])

A preset's first two models sit side by side on the page; adapters found in the folder `rounds` are offered beside them
(`rounds`); others (`base`, the settings' pipelines) are asked by name.
Not covered: switching presets while running.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gaokerena.engines.base import Engine, EngineError, Sampling
from gaokerena.engines.echo import EchoEngine
from gaokerena.engines.translated import TranslatedEngine, joined
from gaokerena.questions import Prompting
from gaokerena.rounds import ModelInfo, Models, Rounds
from gaokerena.settings import PresetName, Settings

log = logging.getLogger(__name__)

MODELS = Path(__file__).parent.parent / "models"


@dataclass(frozen=True, slots=True)
class Preset:
    """Models ready to answer; the notes are the one line the page shows about them.

    `revisions` names the weights of those models whose engine knows them before it has answered; `samplings` says how
    the preset draws under each prompting, whichever model is asked; `device` is what a local engine computes on.
    """

    name: PresetName
    engine: Engine
    models: Mapping[str, ModelInfo]
    note_fa: str = ""
    note_en: str = ""
    revisions: Mapping[str, str] = field(default_factory=dict)
    samplings: Mapping[Prompting, Sampling] = field(default_factory=dict)
    device: str = ""


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

    @property
    def samplings(self) -> Mapping[Prompting, Sampling]:
        return {"straight": self.straight, "cot": self.cot}


_MINI_NOTE_FA = "این دو مدل کوچک فقط نشان می‌دهند سامانه چگونه کار می‌کند؛ پزشکی نمی‌دانند و به گفته‌شان نباید عمل کرد."
_MINI_NOTE_EN = (
    "These two small models only show how the system works; they know no medicine, "
    "and nothing they say should be acted on."
)

PLANS: Mapping[str, _Plan] = {
    "mini": _Plan(
        base=str(MODELS / "mini" / "base"),
        adapters={"v": str(MODELS / "mini" / "v"), "r": str(MODELS / "mini" / "r")},
        labels={"v": "گوکرنا-V کوچک", "r": "گوکرنا-R کوچک", "base": "پایهٔ کوچک"},
        straight=Sampling(temperature=0.7, top_p=0.9, repetition_penalty=1.2, max_new_tokens=320),
        cot=Sampling(temperature=0.7, top_p=0.9, repetition_penalty=1.2, max_new_tokens=448),
        note_fa=_MINI_NOTE_FA,
        note_en=_MINI_NOTE_EN,
    ),
    "gaokerena": _Plan(
        base="CohereLabs/aya-expanse-8b",
        adapters={"v": "gaokerena/gaokerena-v1.0", "r": "gaokerena/gaokerena-r1.0"},
        labels={"v": "گوکرنا-V", "r": "گوکرنا-R", "base": "پایه (aya-expanse-8b)"},
        straight=Sampling(max_new_tokens=1024),
        cot=Sampling(temperature=1.0, max_new_tokens=1024),
    ),
}


def load_preset(settings: Settings, only: Collection[str] | None = None, *, watch: bool = False) -> Preset:
    """The preset the settings name, its models loaded. Raises EngineError when they cannot be.

    With `watch`, adapters that come into the folder `rounds` later are offered as they come.

    With `only`, no other model than those (and what the pipelines among them ask) is loaded or has to be there: one
    served model is enough then, and a `base` of one's own needs no adapters that fit it.
    """
    wanted = only and {
        name for asked in only for name in (_pipeline_models(settings, asked) or (asked,))
    }  # fmt: skip
    if settings.preset == "echo":
        bare = _echo()
    elif settings.preset == "recorded":
        bare = _recorded(settings)
    elif settings.preset == "endpoint":
        bare = _endpoint(settings, wanted)
    else:
        bare = _local(settings, PLANS[settings.preset], wanted, watch)
    preset = _with_pipelines(settings, bare)
    if missing := set(only or ()) - set(preset.models):
        preset.engine.close()
        raise EngineError(_no_model(sorted(missing)[0], preset.name, preset.models))
    return preset if settings.preset == "recorded" else _with_cache(settings, preset)


def _no_model(name: str, preset: str, there: Collection[str]) -> str:
    return f"no model {name!r} in the preset {preset}; there are {', '.join(there)}"


def _pipeline_models(settings: Settings, name: str) -> tuple[str, ...]:
    pipeline = settings.pipelines.get(name)
    return (pipeline.translator, pipeline.answerer) if pipeline else ()


def _info(name: str, label: str, prompting: Prompting, plan: _Plan) -> ModelInfo:
    return ModelInfo(name, label, prompting, plan.cot if prompting == "cot" else plan.straight)


def _local(settings: Settings, plan: _Plan, only: Collection[str] | None, watch: bool) -> Preset:
    from gaokerena.engines.local import LocalEngine

    adapters = {**plan.adapters, **settings.adapters}
    if only:
        if missing := set(only) - {*adapters, "base", *_found(settings)}:
            raise EngineError(_no_model(sorted(missing)[0], settings.preset, [*adapters, "base"]))
        adapters = {name: source for name, source in adapters.items() if name in only}
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
    models = Models(
        {
            name: _info(
                name, plan.labels.get(name, name), "cot" if name in adapters and name != "v" else "straight", plan
            )
            for name in (*adapters, "base")
        }
    )
    if settings.rounds:
        rounds = Rounds(settings.rounds, engine, models, plan.samplings)
        rounds.look(only)
        if watch:
            rounds.watch()
    return Preset(
        settings.preset,
        engine,
        models,
        plan.note_fa,
        plan.note_en,
        engine.loaded.revisions,
        plan.samplings,
        engine.description,
    )


def _found(settings: Settings) -> list[str]:
    """Names of the folders in `rounds`."""
    return [path.name for path in settings.rounds.glob("*/")] if settings.rounds else []


def _endpoint(settings: Settings, only: Collection[str] | None) -> Preset:
    from gaokerena.engines.endpoint import EndpointEngine

    needed = sorted(only or ("v", "r"), reverse=True)
    if not set(needed) <= set(settings.endpoints):
        tables = " and ".join(f"[endpoints.{name}]" for name in needed)
        raise EngineError(
            f"the preset endpoint needs {tables} in gaokerena.toml, each with base_url and model "
            f"(there is: {', '.join(settings.endpoints) or 'nothing'})"
        )
    plan = PLANS["gaokerena"]
    default: dict[str, Prompting] = {"r": "cot"}
    models = {}
    for name, model in settings.endpoints.items():
        prompting = model.prompting if "prompting" in model.model_fields_set else default.get(name, "straight")
        models[name] = _info(name, plan.labels.get(name, model.model), prompting, plan)
    revisions = {name: model.revision for name, model in settings.endpoints.items() if model.revision}
    engine = EndpointEngine(settings.endpoints)
    return Preset("endpoint", engine, models, revisions=revisions, samplings=plan.samplings)


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
    promptings: dict[str, Prompting] = {"v": "straight", "r": "cot"}
    if "base" in engine.models:
        promptings["base"] = "straight"
    models = {name: _info(name, plan.labels[name], prompting, plan) for name, prompting in promptings.items()}
    note_fa = "پاسخ‌ها ضبط‌شده‌اند: آنچه گوکرنای منتشرشده به پرسش‌های آزمون‌ها گفته است. برای پرسش دیگر پاسخی نیست."
    note_en = "Recorded: what the published Gaokerena said to the exams' questions. There is no answer to any other."
    return Preset("recorded", engine, models, note_fa, note_en, samplings=plan.samplings)


def _echo() -> Preset:
    sampling = Sampling()
    models = {"v": ModelInfo("v", "پژواک V", "straight", sampling), "r": ModelInfo("r", "پژواک R", "cot", sampling)}
    note_fa = "هیچ مدلی در کار نیست: پاسخ‌ها پژواکِ پرسش‌اند."
    note_en = "No model is at work: the answers echo the question."
    samplings: dict[Prompting, Sampling] = {"straight": sampling, "cot": replace(sampling, temperature=1.0)}
    return Preset("echo", EchoEngine(), models, note_fa, note_en, dict.fromkeys(models, "echo"), samplings)


def _with_pipelines(settings: Settings, preset: Preset) -> Preset:
    """The preset with those of the settings' pipelines whose two models it has."""
    usable = {}
    for name, pipeline in settings.pipelines.items():
        if name in preset.models:
            preset.engine.close()
            raise EngineError(f"pipelines.{name} has the name of a model of the preset {preset.name}; rename it")
        missing = [part for part in (pipeline.translator, pipeline.answerer) if part not in preset.models]
        if missing:
            log.warning("pipelines.%s is left out: %s", name, _no_model(missing[0], preset.name, preset.models))
        else:
            usable[name] = pipeline
    if not usable:
        return preset
    models = preset.models if isinstance(preset.models, Models) else Models(preset.models)
    revisions = dict(preset.revisions)
    for name, pipeline in usable.items():
        asked = models[pipeline.answerer]
        models.add(replace(asked, name=name, label=f"{models[pipeline.translator].label} ← {asked.label}"))
        if {pipeline.translator, pipeline.answerer} <= set(revisions):
            revisions[name] = joined(revisions[pipeline.translator], revisions[pipeline.answerer])
    return replace(preset, engine=TranslatedEngine(preset.engine, usable), models=models, revisions=revisions)


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
