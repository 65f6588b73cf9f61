"""The Space: read settings, build the page, launch. The same file serves `make run` and a Hugging Face Space.

    GAOKERENA_PRESET=echo python app.py

Settings are in `gaokerena.settings`; a Space's own GRADIO_SERVER_NAME wins over the host set there.
"""

from __future__ import annotations

import os
import socket
import sys

from gaokerena.engines.base import EngineError
from gaokerena.presets import load_preset
from gaokerena.settings import Settings, SettingsError, load_settings, shown
from gaokerena.store import Store, StoreError
from gaokerena.ui.page import build_page, launch_options


def serve(settings: Settings) -> None:
    """Serve the page until interrupted."""
    preset = load_preset(settings)
    settings.store_path.parent.mkdir(parents=True, exist_ok=True)
    host = os.environ.get("GRADIO_SERVER_NAME", settings.host)
    try:
        with Store(settings.store_path) as store:
            page = build_page(settings, preset, store)
            page.launch(
                server_name=host, server_port=settings.port or _free_port(), **launch_options(settings.language)
            )
    finally:
        preset.engine.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Start, or say in one line why not."""
    try:
        settings = load_settings()
        sys.stdout.write(f"gaokerena starts with\n{shown(settings)}\n")
        serve(settings)
    except (SettingsError, EngineError, StoreError) as error:
        sys.exit(f"gaokerena cannot start: {error}")


if __name__ == "__main__":
    main()
