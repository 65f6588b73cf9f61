"""What is deployed beside the demo: Argilla for a team and as a Space, of the tested version, closed by default.

No container runs here: a file that Docker refuses for another reason than those below is not found.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TEAM, SPACE = ROOT / "spaces" / "team" / "compose.yaml", ROOT / "spaces" / "argilla"
PINS = (ROOT / "annotation/server/requirements.txt").read_text("utf-8")


def version() -> str:
    found = re.search(r"^argilla-server==([\d.]+)", PINS, re.MULTILINE)
    assert found
    return found[1]


def team() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(TEAM.read_text("utf-8"))
    return read


def test_every_part_of_the_normal_set_up_is_there_and_pinned() -> None:
    services = team()["services"]
    assert set(services) == {"argilla", "worker", "database", "search", "queue"}
    images = {name: service["image"] for name, service in services.items()}
    assert images["argilla"] == images["worker"] == f"argilla/argilla-server:v{version()}"
    assert all(re.search(r":v?\d+\.\d+", image) for image in images.values())
    assert "argilla_server worker" in services["worker"]["command"]


def test_the_parts_find_one_another_and_wait() -> None:
    services = team()["services"]
    for name in ("argilla", "worker"):
        variables = services[name]["environment"]
        urls = [variables[f"ARGILLA_{each}"] for each in ("DATABASE_URL", "ELASTICSEARCH", "REDIS_URL")]
        hosts = [re.split("[@/]", url.rsplit(":", 1)[0])[-1] for url in urls]
        assert hosts == list(services[name]["depends_on"]) == ["database", "search", "queue"]
        assert all("healthcheck" in services[host] for host in hosts)
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert used == set(team()["volumes"])


def test_only_this_machine_reaches_it_and_nothing_is_told_or_known_beforehand() -> None:
    services = team()["services"]
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert len(ports) == 1
    assert ports[0].startswith("127.0.0.1:")
    for service in services.values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|API_KEY", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value), f"{name} has a value that everybody knows"
    for name in ("argilla", "worker"):
        variables = services[name]["environment"]
        assert (variables["ARGILLA_ENABLE_TELEMETRY"], variables["HF_HUB_DISABLE_TELEMETRY"]) == ("0", "1")


def test_the_space_is_of_the_same_version_and_says_what_is_not_kept() -> None:
    readme = (SPACE / "README.md").read_text("utf-8")
    front = yaml.safe_load(readme.split("---")[1])
    assert (front["sdk"], front["app_port"]) == ("docker", 6900)
    assert len(front["short_description"]) <= 60
    assert f"FROM argilla/argilla-hf-spaces:v{version()}\n" in (SPACE / "Dockerfile").read_text("utf-8")
    assert "Without it a restart takes every account and every verdict" in readme
