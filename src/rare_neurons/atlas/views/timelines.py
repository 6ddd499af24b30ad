"""Curves of every declared question with bands, moves and dates."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from rare_neurons.atlas.arrays import Packed, pack
from rare_neurons.atlas.questions import by_slot, facts_of, first_up, judged
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import Content
from rare_neurons.figures.emergence import tier_line
from rare_neurons.figures.findings import Findings

_HEIGHT = 200
"""Of the curves, in pixels; dates stand below."""


def build(tree: Tree) -> Content:
    """Draw every question of the chosen subject; curves are arrays, moves and dates are few."""
    found = judged(tree)
    courses = tree.timeline("courses", list(found))
    slots = dict(by_slot(tree))
    numbers = {standing.question: slot for slot, standing in slots.items()}
    codes = {
        "subject": list(found),
        "question": list(numbers),
        "run": list(dict.fromkeys(courses.run)),
    }
    return Content(
        charts={slot: _chart() for slot in slots},
        titles={slot: f"<strong>{Content.escaped(first_up(one.question))}</strong>" for slot, one in slots.items()},
        arrays=_arrays(courses, codes),
        facts={
            "height": _HEIGHT,
            "codes": codes,
            "questions": {slot: facts_of(one) for slot, one in slots.items()},
            "known": {name: _known(findings) for name, findings in found.items()},
        },
    )


def _arrays(courses: pd.DataFrame, codes: Mapping[str, list[str]]) -> Mapping[str, Packed]:
    places = {
        column: pd.Categorical(courses[column], categories=names).codes.astype(np.int16)
        for column, names in codes.items()
    }
    steps = courses.step.to_numpy(np.int32)
    values = courses[["value", "low", "high"]].to_numpy(np.float32)
    return {"places": pack(np.stack(list(places.values()))), "steps": pack(steps), "values": pack(values)}


def _known(findings: Findings) -> Mapping[str, Mapping[str, object]]:
    """By question: tiers in a line, the runs in which a change is found, its moves and its dates."""
    known = {}
    for standing in findings.questions:
        changed = [row.run for row in (*standing.controls, *standing.runs) if row.holds]
        known[standing.question] = {
            "tiers": tier_line(standing),
            "turns": [
                {"run": one.run, "start": one.start, "end": one.end, "change": one.change}
                for one in findings.turns
                if one.question == standing.question and one.run in changed
            ],
            "dates": [
                {"run": one.run, "role": one.role, "after": one.after, "by": one.by}
                for one in findings.onsets
                # A date that is open at both ends says nothing.
                if one.question == standing.question
                and (one.after or one.by)
                and (one.run in changed or (one.role == "all" and standing.holds("seeds")))
            ],
        }
    return known


def _chart() -> dict:
    """Layers over rows that the script makes; it also sets scales and the axis of training."""
    x = alt.X("x:Q")
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(labelExpr="format(datum.value, '.4~g')", tickCount=5),
    )
    colour = alt.Color("run:N", title=None)
    hint = ["run:N", "step:Q", "value:Q", "low:Q", "high:Q"]
    curves, moves, dates, marks = (alt.Data(name=name) for name in ("curves", "moves", "dates", "marks"))
    shade = (
        alt.Chart(dates)
        .transform_filter("datum.broad")
        .mark_rect(opacity=0.1)
        .encode(x=alt.X("start:Q"), x2="end:Q", color=colour)
    )
    rules = (
        alt.Chart(marks)
        .mark_rule()
        .encode(
            x=x,
            strokeDash=alt.StrokeDash("dash:N", scale=None),
            color=alt.Color("colour:N", scale=None),
            tooltip=["what:N"],
        )
    )
    bands = (
        alt.Chart(curves)
        .mark_area(opacity=0.16)
        .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour, detail="run:N")
    )
    lines = (
        alt.Chart(curves)
        .mark_line(strokeWidth=1.4)
        .encode(x=x, y=y, color=colour, strokeDash=alt.StrokeDash("run:N", title=None), detail="run:N")
    )
    points = alt.Chart(curves).mark_point(filled=True, size=26).encode(x=x, y=y, color=colour, tooltip=hint)
    moving = (
        alt.Chart(moves)
        .mark_line(strokeWidth=3.4)
        .encode(x=x, y=y, color=colour, detail=["run:N", "move:N"], strokeDash=alt.StrokeDash("run:N", title=None))
    )
    ends = (
        alt.Chart(moves)
        .transform_filter("datum.last")
        .mark_point(filled=True, size=70)
        .encode(x=x, y=y, color=colour, shape=alt.Shape("sign:N", scale=None))
    )
    bars = (
        alt.Chart(dates)
        .mark_rule(strokeCap="butt")
        .encode(
            x=alt.X("start:Q"),
            x2="end:Q",
            y=alt.Y("place:Q", scale=None),
            color=colour,
            strokeDash=alt.StrokeDash("run:N", title=None),
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            tooltip=["run:N", alt.Tooltip("words:N", title="half of the change")],
        )
    )
    return (
        alt.layer(shade, rules, bands, lines, points, moving, ends, bars)
        .properties(width="container", height=_HEIGHT)
        .to_dict()
    )
