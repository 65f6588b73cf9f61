"""Settings: environment over file, unknown keys refused by name, secrets never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from gaokerena.settings import Settings, SettingsError, as_markdown, load_settings, shown


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but the test's own."""
    import os

    for name in [name for name in os.environ if name.upper().startswith("GAOKERENA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    Path("gaokerena.toml").write_text(text, "utf-8")


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert (settings.preset, settings.language, settings.port) == ("mini", "fa", 7860)


def test_the_environment_wins_over_the_file_and_options_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    write('preset = "echo"\nport = 1111\nseed = 5\n')
    monkeypatch.setenv("GAOKERENA_PORT", "2222")
    settings = load_settings()
    assert (settings.preset, settings.port, settings.seed) == ("echo", 2222, 5)
    assert load_settings(preset="mini").preset == "mini"


def test_an_option_wins_over_the_same_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write('preset = "recorded"\nport = 1111\n')
    monkeypatch.setenv("GAOKERENA_PRESET", "echo")
    monkeypatch.setenv("GAOKERENA_PORT", "2222")
    settings = load_settings(preset="mini")
    assert (settings.preset, settings.port) == ("mini", 2222)
    monkeypatch.setenv("GAOKERENA_PRESET", "no such preset")
    assert load_settings(preset="mini").preset == "mini"
    with pytest.raises(SettingsError, match="preset: "):
        load_settings(preset="other")


def test_a_key_from_the_environment_joins_the_endpoint_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[endpoints.v]\nbase_url = "http://gpu:8000/v1"\nmodel = "v1"\nscrub = false\n')
    monkeypatch.setenv("GAOKERENA_ENDPOINTS__V__API_KEY", "sk-very-secret")
    model = load_settings(preset="endpoint").endpoints["v"]
    assert (model.model, model.scrub, model.api_key.get_secret_value()) == ("v1", False, "sk-very-secret")


@pytest.mark.parametrize("text", ["prest = 'mini'\n", "[server]\nport = 1\n"])
def test_an_unknown_key_in_the_file_is_named(text: str) -> None:
    write(text)
    with pytest.raises(SettingsError, match=r"gaokerena\.toml.*(prest|server): Extra inputs"):
        load_settings()


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_PROT", "7861")
    with pytest.raises(SettingsError, match="unknown setting GAOKERENA_PROT"):
        load_settings()


@pytest.mark.parametrize("name", ["PORT__X", "SEED__FOO", "CONFIG__X", "ENDPOINT__V__MODEL"])
def test_a_part_of_what_has_no_parts_is_unknown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GAOKERENA_{name}", "5")
    with pytest.raises(SettingsError, match=f"unknown setting GAOKERENA_{name}"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("PORT", "99999", "port: .*65535"), ("PRESET", "big", "preset: .*'mini'"), ("MAX_ROWS", "0", "max_rows: .*1")],
)
def test_a_wrong_value_is_named_with_its_bounds(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"GAOKERENA_{name}", value)
    with pytest.raises(SettingsError, match=says):
        load_settings()


def test_a_file_that_is_no_toml_and_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    write("preset = ")
    with pytest.raises(SettingsError, match=r"gaokerena\.toml is not TOML"):
        load_settings()
    monkeypatch.setenv("GAOKERENA_CONFIG", "other.toml")
    with pytest.raises(SettingsError, match=r"other\.toml, which does not exist"):
        load_settings()
    monkeypatch.setenv("GAOKERENA_CONFIG", ".")
    with pytest.raises(SettingsError, match=r"\. cannot be read \(Is a directory\); GAOKERENA_CONFIG must name"):
        load_settings()


def test_a_table_in_the_environment_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAOKERENA_ADAPTERS", "v=models/v")
    with pytest.raises(SettingsError, match=r'"adapters".* as JSON, or put it into gaokerena\.toml'):
        load_settings()


def test_a_key_is_never_shown() -> None:
    write('[endpoints.v]\nbase_url = "http://gpu:8000/v1"\nmodel = "v1"\napi_key = "sk-very-secret"\n')
    settings = load_settings()
    assert settings.endpoints["v"].api_key.get_secret_value() == "sk-very-secret"
    assert "sk-very-secret" not in shown(settings) + repr(settings) + str(settings)
    assert "v1" in shown(settings)


def test_a_wrong_endpoint_names_its_field_and_not_its_key() -> None:
    write('[endpoints.v]\nbase_url = "gpu:8000"\nmodel = "v1"\napi_key = "sk-very-secret"\n')
    with pytest.raises(SettingsError, match=r"endpoints\.v\.base_url") as caught:
        load_settings()
    assert "sk-very-secret" not in str(caught.value)


def test_the_table_of_the_docs_is_up_to_date() -> None:
    text = (Path(__file__).parents[1] / "docs" / "settings.md").read_text("utf-8")
    assert as_markdown() in text, (
        "run: python -m gaokerena settings --markdown, and put the table into docs/settings.md"
    )
    assert all(f"`{name}`" in text for name in Settings.model_fields)
