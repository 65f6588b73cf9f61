"""Student and teacher: a model of a preset (`mini:base`, `endpoint:q`), or any OpenAI-compatible server.

    with opened({"student": Wanted("mini:base"), "teacher": Wanted("https://host/v1", "m")}, …) as parties:
        parties["teacher"].engine.stream([...])

A server's key comes from the environment (`RLAIF_STUDENT_KEY`, `RLAIF_TEACHER_KEY`); a model of the preset `endpoint`
brings address, key, dialect and prices from the settings (docs/settings.md). Two models of one local preset are loaded
together, on one base.

Not covered: pipelines of two models.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from pydantic import SecretStr, ValidationError

from gaokerena.engines.base import Engine, EngineError, Sampling
from gaokerena.engines.endpoint_model import Dialect, EndpointModel
from gaokerena.engines.endpoint_try import Timeouts
from gaokerena.engines.retry import RetryPolicy
from gaokerena.evaluation.progress import Prices
from gaokerena.presets import PLANS, load_preset
from gaokerena.settings import SettingsError, load_settings
from training.errors import TrainingError
from training.rlaif.calls import Role

SERVED = Sampling(temperature=1.0, max_new_tokens=1024)
"""How a served student draws; a preset's model draws as its preset does."""
LONGEST_TEACHER = 1536


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say of one party; None leaves it to the preset, the settings or the role."""

    name: str
    model: str | None = None
    dialect: Dialect = "openai"
    temperature: float | None = None
    max_new_tokens: int | None = None
    price_prompt: float | None = None
    price_completion: float | None = None

    @property
    def is_url(self) -> bool:
        return self.name.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two, ready. `identity` and `revision` are what of it decides a reply."""

    engine: Engine
    model: str
    identity: str
    revision: str
    sampling: Sampling
    prices: Prices
    shown: str
    """As manifests and rows name it: never a key."""

    def about(self) -> dict[str, Any]:
        return {"model": self.shown, "revision": self.revision, "sampling": asdict(self.sampling)}


@contextmanager
def opened(wanted: Mapping[Role, Wanted], *, at_once: int, timeout: float) -> Iterator[dict[Role, Party]]:
    """The parties, their engines closed at the end. Raises TrainingError naming the option that cannot be used."""
    try:
        with ExitStack() as closing:
            served = {role: _served(role, one) for role, one in wanted.items() if _is_served(one)}
            local = {role: one for role, one in wanted.items() if role not in served}
            parties = {role: _serve(role, wanted[role], model, at_once, timeout) for role, model in served.items()}
            parties |= _load(local)
            for engine in {id(party.engine): party.engine for party in parties.values()}.values():
                closing.callback(engine.close)
            yield parties
    except (EngineError, SettingsError) as error:
        raise TrainingError(str(error)) from error


def check_prices(wanted: Mapping[Role, Wanted], parties: Mapping[Role, Party]) -> None:
    """Raises TrainingError naming a served party without both prices: a budget in money cannot count what it takes."""
    for role, one in wanted.items():
        prices = parties[role].prices
        if _is_served(one) and None in (prices.prompt, prices.completion):
            option = "--price" if role == "teacher" else "--student-price"
            raise TrainingError(
                f"--budget-money: what does --{role} {one.name} cost? give {option}-in and {option}-out (0: nothing)"
            )


def _is_served(one: Wanted) -> bool:
    return one.is_url or one.name.startswith("endpoint:")


def _served(role: Role, one: Wanted) -> EndpointModel:
    if not one.is_url:
        name = one.name.removeprefix("endpoint:")
        endpoints = load_settings(preset="endpoint", cache=None).endpoints
        if name not in endpoints:
            there = ", ".join(endpoints) or "none"
            raise TrainingError(f"--{role} {one.name}: no [endpoints.{name}] in the settings; there are {there}")
        return endpoints[name]
    if not one.model:
        raise TrainingError(f"--{role} {one.name}: which model of that server? give --{role}-model NAME")
    key = SecretStr(os.environ.get(f"RLAIF_{role.upper()}_KEY", ""))
    try:
        return EndpointModel(base_url=one.name, model=one.model, dialect=one.dialect, api_key=key)
    except ValidationError as error:
        raise TrainingError(f"--{role} {one.name}: {error.errors(include_input=False)[0]['msg']}") from None


def _serve(role: Role, one: Wanted, model: EndpointModel, at_once: int, timeout: float) -> Party:
    from gaokerena.engines.endpoint import EndpointEngine

    waits = Timeouts(first_token=timeout, between_tokens=timeout)
    once = RetryPolicy(attempts=1)  # each try is paid for, so it is `Caller` that tries again
    deciding = model.model_dump(include={"base_url", "model", "dialect", "extra_body", "scrub"})
    prices = Prices(
        model.price_prompt if one.price_prompt is None else one.price_prompt,
        model.price_completion if one.price_completion is None else one.price_completion,
    )
    return Party(
        EndpointEngine({role: model}, timeouts=waits, retry=once, concurrent=at_once),
        role,
        json.dumps(deciding, sort_keys=True),
        model.revision,
        _sampling(role, one, SERVED),
        prices,
        f"{model.model} at {model.base_url}",
    )


def _load(wanted: Mapping[Role, Wanted]) -> dict[Role, Party]:
    """The parties that are models of local presets; one engine a preset."""
    parties: dict[Role, Party] = {}
    split = {role: _parted(role, one) for role, one in wanted.items()}
    for name in sorted({preset for preset, _ in split.values()}):
        roles = [role for role, (preset, _) in split.items() if preset == name]
        settings = load_settings(preset=cast(Any, name), cache=None)
        preset = load_preset(settings, sorted({split[role][1] for role in roles}))
        for role in roles:
            one, model = wanted[role], split[role][1]
            parties[role] = Party(
                preset.engine,
                model,
                one.name,
                preset.revisions.get(model, ""),
                _sampling(role, one, preset.samplings["cot"]),
                Prices(one.price_prompt, one.price_completion),
                one.name,
            )
    return parties


def _parted(role: Role, one: Wanted) -> tuple[str, str]:
    preset, colon, model = one.name.partition(":")
    if not colon or preset not in PLANS:
        known = ", ".join(f"{name}:MODEL" for name in PLANS)
        raise TrainingError(f"--{role} {one.name}: write {known}, endpoint:NAME, or a URL with --{role}-model")
    return preset, model


def _sampling(role: Role, one: Wanted, students: Sampling) -> Sampling:
    """A student draws as `students` say, a teacher greedily; the options change either."""
    usual = students if role == "student" else Sampling(temperature=0.0, max_new_tokens=LONGEST_TEACHER)
    changes: dict[str, Any] = {"temperature": one.temperature, "max_new_tokens": one.max_new_tokens}
    return replace(usual, **{name: value for name, value in changes.items() if value is not None})
