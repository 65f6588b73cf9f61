"""The Space: read settings, build the page, launch. The same file serves `make run` and a Hugging Face Space.

    GAOKERENA_PRESET=echo python app.py

Settings: `gaokerena.settings`; a Space's GRADIO_SERVER_NAME wins over the host there. Ctrl-C and SIGTERM store first.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from gaokerena import logs
from gaokerena.attempts import settle
from gaokerena.engines.base import EngineError
from gaokerena.presets import load_preset
from gaokerena.settings import Settings, SettingsError, load_settings, shown
from gaokerena.store import Store, StoreError
from gaokerena.ui.page import build_page, launch_options


def serve(settings: Settings) -> None:
    """Serve the page until interrupted; then the engine ends what it writes, and the store closes last."""
    host = os.environ.get("GRADIO_SERVER_NAME", settings.host)
    where = {"server_name": host, "server_port": settings.port or _free_port()}
    with Store(settings.store_path) as store:
        page = build_page(settings, preset := load_preset(settings, watch=True), store)
        try:
            page.launch(prevent_thread_lock=True, **where, **launch_options(settings.language))
            threading.Event().wait()
        finally:
            preset.engine.close()
            settle(5.0)
            page.close()


def _free_port() -> int:
    with socket.create_server(("", 0)) as probe:
        return int(probe.getsockname()[1])


def main() -> None:
    """Start, or say in one line why not."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logs.set_up()
    try:
        settings = load_settings()
        sys.stdout.write(f"gaokerena starts with\n{shown(settings)}\n")
        serve(settings)
    except (SettingsError, EngineError, StoreError, OSError) as error:  # OSError: the port is taken
        sys.exit(f"gaokerena cannot start: {error}")
    except KeyboardInterrupt:
        sys.stdout.write("gaokerena has stopped\n")


if __name__ == "__main__":
    main()
