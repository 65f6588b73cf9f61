"""A figure of matplotlib as SVG that belongs to the page it stands in.

    inline(drawn, name="forest-fa-wide", title="…", description="…", language="fa")

Text stays text, so the browser shapes Persian with the page's font; colours become the page's variables, so one
drawing serves light, dark and paper; ids are unique in the page; a title and a description serve screen readers.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from gaokerena.bidi import LRI, PDI
from gaokerena.evaluation.report.plots import SLOTS
from gaokerena.evaluation.report.words import Language

RLI = "\u2067"
INK, SOFT, LINE, CARD = "#010101", "#010102", "#010103", "#010104"
SERIES = tuple(f"#0102{slot:02x}" for slot in range(SLOTS))
"""Colours that stand for the page's variables while matplotlib draws."""

_VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", CARD: "--card"} | {
    colour: f"--series-{slot}" for slot, colour in enumerate(SERIES)
}
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_COLOUR = re.compile("|".join(_VARIABLES))
_FONT = re.compile(r"font-family: [^;]*;?")
_SHORT_FONT = re.compile(r"font: (?:(\d+|bold) )?([\d.]+px) [^;]*")
_LONG_NUMBER = re.compile(r"(\d+\.\d\d)\d+")
_REFERENCE = re.compile(r"(?<=#)[\w-]+")
_RIGHT_TO_LEFT = re.compile("[\u0600-\u06ef\u06fa-\u06ff]")


def inline(drawn: str, *, name: str, title: str, description: str, language: Language) -> str:
    """`drawn`, made fit for a page; `name` makes its ids unique there."""
    root = ET.fromstring(drawn)
    _remove(root, {"metadata", "style"})
    _rename(root, name)
    for element in root.iter():
        _repaint(element)
        if element.tag == f"{_SVG}text" and element.text:
            element.text = _isolated(element.text) if language == "fa" else element.text
    _introduce(root, name, title, description)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.text = element.text.strip() if element.text else None
        element.tail = None
    return ET.tostring(root, encoding="unicode")


def _introduce(root: ET.Element, name: str, title: str, description: str) -> None:
    width = root.attrib["viewBox"].split()[2]
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    labels = f"{name}-title {name}-text"
    root.attrib.update({"class": "plot", "role": "img", "aria-labelledby": labels, "style": f"max-width:{width}px"})
    for place, (tag, suffix, text) in enumerate((("title", "title", title), ("desc", "text", description))):
        element = ET.Element(tag, {"id": f"{name}-{suffix}"})
        element.text = text
        root.insert(place, element)


def _remove(root: ET.Element, tags: set[str]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in tags:
                parent.remove(child)


def _rename(root: ET.Element, name: str) -> None:
    """Drop ids nobody refers to; make the others unique in the page."""
    used = set(_references(root))
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own in used:
            element.attrib["id"] = f"{name}-{own}"
        if href := element.attrib.pop(f"{_XLINK}href", None):
            element.attrib["href"] = _REFERENCE.sub(rf"{name}-\g<0>", href)
        if clip := element.attrib.get("clip-path"):
            element.attrib["clip-path"] = _REFERENCE.sub(rf"{name}-\g<0>", clip)


def _references(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        for attribute in (f"{_XLINK}href", "clip-path"):
            yield from _REFERENCE.findall(element.attrib.get(attribute, ""))


def _repaint(element: ET.Element) -> None:
    if style := element.attrib.get("style"):
        style = _SHORT_FONT.sub(lambda match: f"font-size: {match[2]}; font-weight: {match[1] or 400}", style)
        element.attrib["style"] = _COLOUR.sub(lambda match: f"var({_VARIABLES[match[0]]})", _FONT.sub("", style))
    if path := element.attrib.get("d"):
        element.attrib["d"] = _LONG_NUMBER.sub(r"\1", " ".join(path.split()))
    if element.attrib.get("transform", "").startswith("rotate(-0"):
        del element.attrib["transform"]


def _isolated(text: str) -> str:
    """`text` in its own direction: anchors are counted from the left, whatever is written."""
    return f"{RLI if _RIGHT_TO_LEFT.search(text) else LRI}{text}{PDI}"
