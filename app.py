"""The Space: read settings, build the page, launch. The same file serves `make run` and a Hugging Face Space.

python app.py
"""

from __future__ import annotations

from gaokerena.presets import load_preset
from gaokerena.settings import load_settings
from gaokerena.store import Store
from gaokerena.ui.page import build_page, launch_options


def main() -> None:
    """Serve the page until interrupted."""
    settings = load_settings()
    preset = load_preset(settings)
    with Store(settings.store_path) as store:
        page = build_page(settings, preset, store)
        try:
            page.launch(server_name=settings.host, server_port=settings.port, **launch_options(settings.language))
        finally:
            preset.engine.close()


if __name__ == "__main__":
    main()
