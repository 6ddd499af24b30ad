"""The page itself: views that are drawn from a results tree, in one file that loads nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

from rare_neurons.atlas.registry import VIEWS
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import Content, NothingToShow, View
from rare_neurons.errors import RequestError

_PAGE = Path(__file__).parent / "page"
Scoped = Mapping[str, Content | str]
"""What a view shows at each panel, by the panel's place in the order; what is the same at all, by the empty text."""

_ONLY_ITSELF = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""What a browser lets the page do: no request at all; Vega makes functions of the specifications' expressions."""


def atlas_page(trees: Sequence[Tree], views: Sequence[View] = VIEWS) -> str:
    """Make the page.

    Parameters
    ----------
    trees : sequence of Tree
        The same results and subjects at each panel that a reader may choose, the first one first.
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
    tree = trees[0]
    try:
        facts = [one.facts() for one in trees]
    except NothingToShow as reason:
        raise RequestError(f"{tree.results} has nothing for an atlas: {reason} Run first.") from None
    drawn = [(view, _scoped([_content(view, one) for one in trees])) for view in views]
    words = f"Atlas of {', '.join(one.name for one in tree.subjects)}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{Content.escaped(words)}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{_ONLY_ITSELF}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_read('atlas.css')}{_read('parts.css')}</style></head><body>",
        f"<header><h1>{Content.escaped(words)}</h1><p>{_about(trees)}</p></header>",
        _bar(views),
        f"<main>{_sections(drawn)}</main>",
        _json("tree", facts),
        *_data(drawn),
        _script(_vega()),
        _script(_read("atlas.js")),
        *(_script(view.script) for view, contents in drawn if _shown(contents) and view.script),
        _script("atlas.start();"),
        *(_script(_read(name)) for name in ("export.js", "keys.js")),
        # Last, so that the first view is drawn before they are read.
        *_arrays(drawn),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _content(view: View, tree: Tree) -> Content | str:
    """Build what a view shows, or say why it shows nothing."""
    try:
        return view.load()(tree)
    except NothingToShow as reason:
        return str(reason)


def _scoped(contents: Sequence[Content | str]) -> Scoped:
    """Give contents by the panel's place; once, with an empty scope, what is the same at every panel."""
    if all(one == contents[0] for one in contents[1:]):
        return {"": contents[0]}
    return {str(place): one for place, one in enumerate(contents)}


def _shown(contents: Scoped) -> Mapping[str, Content]:
    return {scope: one for scope, one in contents.items() if isinstance(one, Content)}


def _about(trees: Sequence[Tree]) -> str:
    name, shown = Path(trees[0].results).resolve().name, [one.panel for one in trees if one.panel is not None]
    panel = f" · panel{'s' if len(shown) > 1 else ''} {', '.join(shown)}" if shown else ""
    others = [one for one in trees[0].panels if one not in shown]
    rest = f" (also measured, not shown: {', '.join(others)})" if others else ""
    return Content.escaped(f"Results in {name}{panel}{rest}")


def _bar(views: Sequence[View]) -> str:
    sections = dict.fromkeys(view.section for view in views)
    links = "".join(f'<a href="#{_slug(one)}">{Content.escaped(one)}</a>' for one in sections)
    return f'<div id="bar"><nav aria-label="Sections">{links}</nav>{_read("choices.html")}</div>'


def _sections(drawn: Sequence[tuple[View, Scoped]]) -> str:
    parts = []
    for section, some in groupby(drawn, key=lambda one: one[0].section):
        inner = "".join(_view(view, contents) for view, contents in some)
        parts.append(
            f'<section class="part" id="{_slug(section)}"><h2>{Content.escaped(section)}</h2>{inner}</section>'
        )
    return "".join(parts)


def _view(view: View, contents: Scoped) -> str:
    head = f'<h3>{Content.escaped(view.title)}<span class="tools"></span></h3>'
    head += f'<p class="caption">{Content.escaped(view.caption)}</p>'
    bodies = "".join(
        f'<div class="body" data-scope="{scope}">{_body(view.name, scope, one)}</div>'
        for scope, one in contents.items()
    )
    return f'<section class="view" id="view-{view.name}">{head}{bodies}</section>'


def _body(view: str, scope: str, content: Content | str) -> str:
    if isinstance(content, str):
        return f'<p class="nothing">{Content.escaped(content)}</p>'
    style = "" if content.columns is None else f' style="grid-template-columns: repeat({content.columns}, 1fr)"'
    slots = "".join(_slot(view, scope, slot, content) for slot in content.charts)
    return content.html + (f'<div class="slots"{style}>{slots}</div>' if slots else "")


def _slot(view: str, scope: str, slot: str, content: Content) -> str:
    title, note = content.titles.get(slot, ""), content.notes.get(slot, "")
    kind = "slot wide" if slot in content.wide else "slot"
    return (
        f'<figure class="{kind}" data-scope="{scope}" data-view="{view}" data-slot="{Content.escaped(slot)}">'
        f'<div class="head">{title}</div><div class="words"></div><div class="chart"></div>'
        f"<figcaption>{note}</figcaption></figure>"
    )


def _data(drawn: Sequence[tuple[View, Scoped]]) -> Iterator[str]:
    """Yield facts by scope and view, and specifications by scope, view and slot."""
    facts: dict[str, dict[str, object]] = {}
    for view, contents in drawn:
        for scope, content in _shown(contents).items():
            facts.setdefault(scope, {})[view.name] = dict(content.facts)
            for slot, spec in content.charts.items():
                yield _json(f"spec:{scope}:{view.name}/{slot}", spec)
    yield _json("facts", facts)


def _arrays(drawn: Sequence[tuple[View, Scoped]]) -> Iterator[str]:
    for view, contents in drawn:
        for scope, content in _shown(contents).items():
            for name, packed in content.arrays.items():
                head = Content.escaped(json.dumps(packed.head))
                identity = Content.escaped(f"array:{scope}:{view.name}/{name}")
                yield f'<script type="text/plain" id="{identity}" data-head=\'{head}\'>{packed.text}</script>'


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


@cache  # a second and a half to bundle, the same for every page
def _vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed with all that they need: the one program on the page that is not ours."""
    import vl_convert  # of the extra `run`: reading results does without

    return vl_convert.javascript_bundle()
