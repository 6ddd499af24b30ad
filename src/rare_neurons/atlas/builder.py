"""The page itself: views that are drawn from a results tree, in one file that loads nothing."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rare_neurons.atlas.registry import VIEWS
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import Content, NothingToShow, View
from rare_neurons.errors import RequestError

_PAGE = Path(__file__).parent / "page"
_ONLY_ITSELF = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""What a browser lets the page do: no request at all; Vega makes functions of the specifications' expressions."""


def atlas_page(tree: Tree, views: Sequence[View] = VIEWS) -> str:
    """Make the page.

    Parameters
    ----------
    tree : Tree
    views : sequence of View

    Returns
    -------
    str
        HTML with all that it needs. A view that has nothing to show says why.

    Raises
    ------
    RequestError
        If no checkpoint of the tree has a verdict.
    """
    try:
        facts = tree.facts()
    except NothingToShow as reason:
        raise RequestError(f"{tree.results} has nothing for an atlas: {reason} Run first.") from None
    drawn = [(view, _content(view, tree)) for view in views]
    contents = {view.name: content for view, content in drawn if isinstance(content, Content)}
    name = Path(tree.results).resolve().name
    words = f"Atlas of {', '.join(one.name for one in tree.subjects)}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{Content.escaped(words)}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{_ONLY_ITSELF}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_read('atlas.css')}{_read('parts.css')}</style></head><body>",
        f"<header><h1>{Content.escaped(words)}</h1><p>{_about(tree, name)}</p></header>",
        _bar(drawn),
        f"<main>{_sections(drawn)}</main>",
        _json("tree", facts),
        _json("facts", {view: dict(content.facts) for view, content in contents.items()}),
        *(
            _json(f"spec:{view}/{slot}", spec)
            for view, content in contents.items()
            for slot, spec in content.charts.items()
        ),
        _script(_vega()),
        _script(_read("atlas.js")),
        *(_script(view.script) for view, content in drawn if isinstance(content, Content) and view.script),
        _script("atlas.start();"),
        *(_script(_read(name)) for name in ("export.js", "keys.js")),
        # Last, so that the first view is drawn before they are read.
        *_arrays(contents),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _content(view: View, tree: Tree) -> Content | str:
    """Build what a view shows, or say why it shows nothing."""
    try:
        return view.load()(tree)
    except NothingToShow as reason:
        return str(reason)


def _about(tree: Tree, name: str) -> str:
    panel = "" if tree.panel is None else f" · panel {tree.panel}"
    others = [one for one in tree.panels if one != tree.panel]
    rest = f" (also measured, not shown: {', '.join(others)})" if others else ""
    return Content.escaped(f"Results in {name}{panel}{rest}")


def _bar(drawn: Sequence[tuple[View, Content | str]]) -> str:
    sections = dict.fromkeys(view.section for view, _ in drawn)
    links = "".join(f'<a href="#{_slug(one)}">{Content.escaped(one)}</a>' for one in sections)
    return f'<div id="bar"><nav aria-label="Sections">{links}</nav>{_read("choices.html")}</div>'


def _sections(drawn: Sequence[tuple[View, Content | str]]) -> str:
    parts = []
    for section, some in groupby(drawn, key=lambda one: one[0].section):
        inner = "".join(_view(view, content) for view, content in some)
        parts.append(
            f'<section class="part" id="{_slug(section)}"><h2>{Content.escaped(section)}</h2>{inner}</section>'
        )
    return "".join(parts)


def _view(view: View, content: Content | str) -> str:
    head = f'<h3>{Content.escaped(view.title)}<span class="tools"></span></h3>'
    head += f'<p class="caption">{Content.escaped(view.caption)}</p>'
    if isinstance(content, str):
        body = f'<p class="nothing">{Content.escaped(content)}</p>'
    else:
        style = "" if content.columns is None else f' style="grid-template-columns: repeat({content.columns}, 1fr)"'
        slots = "".join(_slot(view.name, slot, content) for slot in content.charts)
        body = content.html + (f'<div class="slots"{style}>{slots}</div>' if slots else "")
    return f'<section class="view" id="view-{view.name}">{head}{body}</section>'


def _slot(view: str, slot: str, content: Content) -> str:
    title, note = content.titles.get(slot, ""), content.notes.get(slot, "")
    kind = "slot wide" if slot in content.wide else "slot"
    return (
        f'<figure class="{kind}" data-view="{view}" data-slot="{Content.escaped(slot)}"><div class="head">{title}</div>'
        f'<div class="words"></div><div class="chart"></div><figcaption>{note}</figcaption></figure>'
    )


def _arrays(contents: Mapping[str, Content]) -> list[str]:
    return [
        f'<script type="text/plain" id="array:{Content.escaped(f"{view}/{name}")}" '
        f"data-head='{Content.escaped(json.dumps(packed.head))}'>{packed.text}</script>"
        for view, content in contents.items()
        for name, packed in content.arrays.items()
    ]


def _json(identity: str, value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", "<\\/").replace("<!--", "<\\u0021--")
    return f'<script type="application/json" id="{Content.escaped(identity)}">{text}</script>'


def _script(text: str) -> str:
    # Each in a scope of its own: names of the libraries would meet.
    inner = text.replace("</script", "<\\/script")
    return f"<script>(() => {{\n{inner}\n}})();</script>"


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _slug(text: str) -> str:
    return "-".join(text.lower().split())


def _vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed with all that they need: the one program on the page that is not ours."""
    import vl_convert  # of the extra `run`: reading results does without

    return vl_convert.javascript_bundle()
