"""The template: one text that Argilla leaves as it is and that fetches nothing."""

from __future__ import annotations

import re

from annotation.page import template


def without_fonts() -> str:
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", template.html())


def test_string_replace_leaves_it_alone() -> None:
    """`"…#TEMPLATE#".replace("#TEMPLATE#", template)` reads these four in its second argument."""
    assert not re.search(r"\$[$&`']", template.html())
    assert "#TEMPLATE#" not in template.html()
    assert "#RECORD_OBJECT#" not in template.html()


def test_everything_is_inside() -> None:
    page = without_fonts()
    assert "/*" + "STYLE*/" not in page
    assert page.count("font/woff2;base64,") == 2
    assert not re.search(r"https?:|//[a-z]|@import|<link|src\s*=|fetch\(|XMLHttp|import\(", page)
    assert re.findall(r"url\((.{0,5})", page) == ['"data'] * 2


def test_scripts_end_once_each() -> None:
    page = without_fonts()
    assert page.count("<script>") == page.count("</script>") == 3


def test_text_never_becomes_markup() -> None:
    page = without_fonts()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|setHTML", page)


def test_its_hash_is_of_what_is_sent() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", template.sha256())
    assert 80_000 < len(template.html()) < 160_000
