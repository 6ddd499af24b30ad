"""The atlas: one HTML file per results tree, to be opened without a network.

tree      what a results tree has: its subjects, models and steps, and their tables
arrays    numbers as a page carries them: typed, compressed
view      what a view is: `View`, and what it puts on the page, `Content`
registry  the views, in the order of the page
builder   the page itself
views     one module per view, with its script beside it

A view is a module ``views/NAME.py`` with a function ``build(tree) -> Content``, an entry in `registry.VIEWS`, and
mostly a script ``views/NAME.js``. `Content` has

* ``charts``: Vega-Lite specifications by slot, made with Altair. Rows that depend on what a reader chose are named
  data, ``alt.Data(name="points")`` without values; the script fills them. A width of ``"container"`` follows the page.
  `Content.titles` and `Content.notes` are words above and below a slot.
* ``arrays``: numbers by name, packed with `arrays.pack` (as they are) or `arrays.pack_half` (float16 with one scale),
  or `arrays.pack_size` (errors, in 8 bits to some 2 %).
  A page unpacks one when a script first asks for it: ``await atlas.array("NAME/array")``, which has ``shape``,
  ``at(i, j, k)`` and ``row(i, j)`` (all along the last axis). Names hold for the page: a view may read another's.
* ``facts``: a few small values, as JSON: ``atlas.facts("NAME")``.
* ``html``: words and tables that need no script; ``Content.escaped`` text only.

A view for which the tree lacks a table raises `NothingToShow` with a sentence, which stands in its place; a table that
`tree` cannot find raises it by itself. A view's script calls::

    atlas.view("NAME", {
      uses: ["model", "step"],             // what of the state changes its rows
      shapes: ["axis", "scale"],           // what of the state changes a specification: drawn anew
      shape(slot, spec, state, width) {...}, // optional: returns the specification, a copy that may be changed
      async rows(slot, state) {...},       // {dataset: [objects]}; a string is shown in the place of the chart
      ready(slot, view, state) {...},      // optional: after drawing anew, for listeners: view.addEventListener
      note(slot, state) {...},             // optional: the words below a chart
      resizes: true,                       // where shape uses the width: drawn anew with another one
      renderer: "canvas",                  // for thousands of marks; svg without
      walk(slot, rows, state) {...},       // on a canvas, for keys: [{x, y, said, change}] in the order to go through
    });

Where a page has several panels, ``build`` is called for each; a view whose content they all share is on the page once.
A script is read once: it asks for facts and arrays when it needs them, and keeps what it makes of them by
``state.panel``.

There is one state for the page, ``atlas.state``: ``panel``, ``subject``, ``model``, ``stratum``, ``part`` (whole,
within), ``step``, ``neuron``, ``axis`` (step, tokens, loss), ``scale`` (log, linear), ``control`` (true, false). A
script changes it with ``atlas.set({neuron: 7})``; every view whose ``uses`` or ``shapes`` name what changed is drawn
again, once it is in sight. Keys of its own that a view needs are added to the state in the same way, and named in
``ADDED`` of ``page/atlas.js``, so that an address holds them. Helpers:

* ``atlas.tree``, of the chosen panel: panel, strata (with colours), subjects (runs, controls) and models (steps,
  tokens, loss of each checkpoint, whether it is quarantined).
* ``atlas.x(model, step)``: the place of a checkpoint on the chosen axis; ``atlas.xAxis()``: its Vega-Lite encoding.
* ``atlas.body(view)``: the element that holds a view; ids would not hold for a page, of several panels.
* ``atlas.ticks(low, high)``: round numbers for a logarithmic axis.
* ``atlas.enlarged(size)``: pixels on this screen, where letters may be larger.
* ``atlas.held(model, step)``: whether a checkpoint is quarantined.
* ``atlas.models(subject)``: its runs, and its controls where they are shown.
* ``atlas.drawn(name, slot)``: the Vega view; ``atlas.rowsOf(name, slot)``: the rows it draws, for exports and tests.
* ``atlas.settled()``: a promise that all that is in sight has been drawn; ``atlas.see(name)``: that all of a view has.
* A row's fields are the columns of the saved CSV; those that begin with ``_`` are about the drawing, and left out.
"""

import importlib

_PLACES = {"Subject": "tree", "Tree": "tree", "atlas_page": "builder", "find_subjects": "tree"}
__all__ = ["Subject", "Tree", "atlas_page", "find_subjects"]


def __getattr__(name: str) -> object:
    """Import a name when it is first used: the workflow reads the registry, and every cluster job parses it again."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
