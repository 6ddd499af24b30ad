"""Neurons at the chosen step, ranked and one stratum against another; one neuron over all steps."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np

from rare_neurons.atlas.arrays import Packed, pack_half, pack_size
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import Content, NothingToShow
from rare_neurons.tables import read_table

_COLUMNS = {
    "whole": "influence",
    "whole_se": "influence_se",
    "within": "influence_within",
    "within_se": "influence_within_se",
}
_LARGEST = 14e6
"""Bytes of all these arrays before they are text: with it a page of 154 steps of 4,096 neurons stays below 25 MB."""
_VALUE = 1.5
"""Bytes of one number on average: 2 for an influence, 1 for its error."""


def build(tree: Tree) -> Content:
    """Carry every neuron's influence and its error at every step, or at as many steps as there is room for."""
    shards = {model: found for model in tree.models if (found := tree.shards("influence", model))}
    if not shards:
        raise NothingToShow(
            "Not in this results tree: influence; the target 'influence' of the configuration asks for it."
        )
    strata = tree.strata
    sizes = {model: n for model, found in shards.items() if (n := _n_neurons(found.values()))}
    if not sizes:
        raise NothingToShow("No checkpoint could be measured: see the verdicts at the top.")
    shards = {model: shards[model] for model in sizes}
    n_steps = max(len(found) for found in shards.values())
    room = _LARGEST / (len(_COLUMNS) * _VALUE * len(strata) * sum(sizes.values()))
    most = max(2, int(room))
    arrays: dict[str, Packed] = {}
    steps = {}
    for model, found in shards.items():
        kept = thinned(sorted(found), most)
        steps[model] = kept
        for name, values in _read(found, kept, strata, sizes[model]).items():
            arrays[f"{name}:{model}"] = pack_size(values) if name.endswith("_se") else pack_half(values)
    note = "" if most >= n_steps else f"To keep the page small it carries {most} of {n_steps} steps of each model."
    colours = tree.colours
    return Content(
        charts={"rank": _rank(colours), "scatter": _scatter(), "course": _course(colours)},
        titles={
            "rank": "<strong>Ranked influence</strong>; dashed: what noise alone would show",
            "scatter": "<strong>One stratum against another</strong>; grey box: three median standard errors",
            "course": "<strong>One neuron over all steps</strong>; band: one standard error",
        },
        html=f"<p>{note}</p>" if note else "",
        arrays=arrays,
        wide=("course",),
        facts={"steps": steps, "strata": strata, "neurons": sizes},
    )


def thinned(steps: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the steps, evenly over their list, the first and the last among them."""
    if len(steps) <= most:
        return list(steps)
    return [steps[place] for place in np.linspace(0, len(steps) - 1, most).round().astype(int)]


def _n_neurons(paths: Sequence[object]) -> int:
    """Return the number of neurons of a model; a bad checkpoint has no rows."""
    for path in reversed(list(paths)):
        neurons = read_table(path, ["neuron"])["neuron"].to_numpy()
        if neurons.size:
            return int(neurons.max()) + 1
    return 0


def _read(found: Mapping, steps: Sequence[int], strata: Sequence[str], n: int) -> Mapping[str, np.ndarray]:
    """Read the arrays [step stratum neuron] of one model; NaN where nothing was measured."""
    values = {name: np.full((len(steps), len(strata), n), np.nan) for name in _COLUMNS}
    for place, step in enumerate(steps):
        table = read_table(found[step], ["stratum", "neuron", *_COLUMNS.values()])
        stratum = np.array([strata.index(one) for one in table["stratum"].to_pylist()], dtype=int)
        for name, column in _COLUMNS.items():
            values[name][place, stratum, table["neuron"].to_numpy()] = table[column].to_numpy()
    return values


def _colour(colours: Mapping[str, str]) -> alt.Color:
    return alt.Color(
        "stratum:N",
        title=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(symbolOpacity=1),
    )


def _rank(colours: Mapping[str, str]) -> dict:
    x = alt.X("rank:Q", title="rank of the neuron")
    y = alt.Y("size:Q", axis=alt.Axis(labelExpr="format(datum.value, '.3~g')", tickCount=5))
    hint = [
        "neuron:Q",
        "stratum:N",
        "rank:Q",
        alt.Tooltip("value:Q", title="influence", format="+.3~g"),
        alt.Tooltip("se:Q", title="standard error", format=".2~g"),
    ]
    colour = _colour(colours)
    points = alt.Chart(alt.Data(name="points")).mark_point(filled=True, size=24, opacity=0.75, clip=True)
    noise = alt.Chart(alt.Data(name="noise")).mark_line(strokeDash=[5, 3], strokeWidth=1.3, clip=True)
    chosen = alt.Chart(alt.Data(name="chosen")).mark_point(size=130, strokeWidth=2.2, filled=False)
    return (
        alt.layer(
            noise.encode(x=x, y=y, color=colour),
            points.encode(x=x, y=y, color=colour, tooltip=hint),
            chosen.encode(x=x, y=y, stroke=alt.value("black"), tooltip=hint),
        )
        .properties(width="container", height=300)
        .to_dict()
    )


def _scatter() -> dict:
    axis = alt.Axis(labelExpr="format(datum.value, '.3~g')", tickCount=6)
    x, y = alt.X("x:Q", axis=axis), alt.Y("y:Q", axis=axis)
    hint = ["neuron:Q", alt.Tooltip("x:Q", format="+.3~g"), alt.Tooltip("y:Q", format="+.3~g"), "told:N"]
    box = (
        alt.Chart(alt.Data(name="box"))
        .mark_rect(color="#000", opacity=0.07)
        .encode(x=alt.X("x1:Q"), x2="x2:Q", y=alt.Y("y1:Q"), y2="y2:Q")
    )
    points = alt.Chart(alt.Data(name="points")).mark_point(filled=True, size=30, opacity=0.8)
    chosen = alt.Chart(alt.Data(name="chosen")).mark_point(size=150, strokeWidth=2.2, filled=False, color="black")
    return (
        alt.layer(
            box,
            points.encode(x=x, y=y, color=alt.Color("told:N", title="beyond three standard errors on"), tooltip=hint),
            chosen.encode(x=x, y=y, tooltip=hint),
        )
        .properties(width="container", height=300)
        .to_dict()
    )


def _course(colours: Mapping[str, str]) -> dict:
    x, colour = alt.X("x:Q"), _colour(colours)
    axis = alt.Axis(labelExpr="format(datum.value, '.3~g')", tickCount=6)
    y = alt.Y("value:Q", title="influence (nats per token)", axis=axis)
    lines = alt.Chart(alt.Data(name="lines"))
    hint = ["step:Q", "stratum:N", alt.Tooltip("value:Q", format="+.3~g"), alt.Tooltip("se:Q", format=".2~g")]
    now = alt.Chart(alt.Data(name="now")).mark_rule(color="#e69f00")
    zero = alt.Chart(alt.Data(name="zero")).mark_rule(color="#888")
    return (
        alt.layer(
            zero.encode(y=alt.Y("value:Q")),
            now.encode(x=x),
            lines.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
            lines.mark_line(strokeWidth=1.6).encode(x=x, y=y, color=colour),
            lines.mark_point(filled=True, size=28).encode(x=x, y=y, color=colour, tooltip=hint),
        )
        .properties(width="container", height=300)
        .to_dict()
    )
