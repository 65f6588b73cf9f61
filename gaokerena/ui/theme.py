"""How the page looks: colours for light and dark, and what goes into the document's head and routes.

Fonts and icons come from `static/`, served by this process; the page loads nothing from elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gaokerena.ui.strings import LANGUAGES, Language, say

STATIC = Path(__file__).parent / "static"
ROUTE = "/gaokerena-static"

_PAPER, _PAPER_DARK = "#f6f5f1", "#14181b"
_CARD, _CARD_DARK = "#ffffff", "#1c2226"
_INK, _INK_DARK = "#1f2a2e", "#e4e8e6"
_SOFT, _SOFT_DARK = "#586468", "#a3aeb0"
_LINE, _LINE_DARK = "#dcdad2", "#343c40"
_ACCENT, _ACCENT_DARK = "#14665f", "#6cc0b4"
_ON_ACCENT, _ON_ACCENT_DARK = "#ffffff", "#0d1f1d"


def theme() -> gr.themes.Base:
    """Gradio's own parts in our colours; fonts by name only, so that nothing is fetched."""
    base = gr.themes.Base(
        font=["Vazirmatn", "Tahoma", "sans-serif"], font_mono=["ui-monospace", "Consolas", "monospace"]
    )
    light: dict[str, Any] = {
        "body_background_fill": _PAPER, "body_text_color": _INK, "body_text_color_subdued": _SOFT,
        "background_fill_primary": _CARD, "background_fill_secondary": _PAPER, "block_background_fill": _CARD,
        "border_color_primary": _LINE, "block_border_color": _LINE, "input_background_fill": _CARD,
        "input_border_color": _LINE, "input_border_color_focus": _ACCENT, "input_placeholder_color": _SOFT,
        "block_label_text_color": _SOFT, "block_title_text_color": _INK, "block_info_text_color": _SOFT,
        "button_primary_background_fill": _ACCENT, "button_primary_background_fill_hover": "#0f534d",
        "button_primary_text_color": _ON_ACCENT, "button_secondary_background_fill": _CARD,
        "button_secondary_background_fill_hover": _PAPER, "button_secondary_text_color": _INK,
        "button_secondary_border_color": _LINE, "checkbox_background_color_selected": _ACCENT,
        "checkbox_border_color_selected": _ACCENT, "checkbox_border_color_focus": _ACCENT, "color_accent": _ACCENT,
        "color_accent_soft": "#e3efed",
    }  # fmt: skip
    dark: dict[str, Any] = {
        "body_background_fill_dark": _PAPER_DARK, "body_text_color_dark": _INK_DARK,
        "body_text_color_subdued_dark": _SOFT_DARK, "background_fill_primary_dark": _CARD_DARK,
        "background_fill_secondary_dark": _PAPER_DARK, "block_background_fill_dark": _CARD_DARK,
        "border_color_primary_dark": _LINE_DARK, "block_border_color_dark": _LINE_DARK,
        "input_background_fill_dark": _CARD_DARK, "input_border_color_dark": _LINE_DARK,
        "input_border_color_focus_dark": _ACCENT_DARK, "input_placeholder_color_dark": _SOFT_DARK,
        "block_label_text_color_dark": _SOFT_DARK, "block_title_text_color_dark": _INK_DARK,
        "block_info_text_color_dark": _SOFT_DARK, "button_primary_background_fill_dark": _ACCENT_DARK,
        "button_primary_background_fill_hover_dark": "#8ad0c6", "button_primary_text_color_dark": _ON_ACCENT_DARK,
        "button_secondary_background_fill_dark": _CARD_DARK, "button_secondary_background_fill_hover_dark": "#252c31",
        "button_secondary_text_color_dark": _INK_DARK, "button_secondary_border_color_dark": _LINE_DARK,
        "checkbox_background_color_dark": _PAPER_DARK, "checkbox_background_color_selected_dark": _ACCENT_DARK,
        "checkbox_border_color_selected_dark": _ACCENT_DARK, "color_accent_soft_dark": "#22393a",
    }  # fmt: skip
    rest = {
        "block_border_width": "0px",
        "block_shadow": "none",
        "block_shadow_dark": "none",
        "button_primary_shadow": "none",
    }
    return base.set(**light, **dark, **rest)


def launch_options(language: Language) -> dict[str, Any]:
    """What `Blocks.launch` needs beside host and port: no footer, no telemetry, no outside address."""
    return {
        "theme": theme(),
        "head": _head(language),
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "favicon_path": str(STATIC / "favicon.svg"),
        "app_kwargs": {"routes": [Mount(ROUTE, StaticFiles(directory=STATIC))]},
    }


def _head(language: Language) -> str:
    """Style and script inline, so that neither direction nor font jumps; the fonts by a path of this server."""
    settings = {"language": language, "titles": {each: say(each, "title") for each in LANGUAGES}}
    style = (STATIC / "page.css").read_text("utf-8").replace("STATIC", ROUTE.strip("/"))
    script = (STATIC / "page.js").read_text("utf-8")
    return f"<style>{style}</style><script>window.gaokerenaSettings = {json.dumps(settings)};\n{script}</script>"
