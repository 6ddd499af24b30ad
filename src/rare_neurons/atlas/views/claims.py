"""Every question with its change in each run and control, over seeds and beyond controls, and how far that goes."""

from collections.abc import Iterator, Mapping

import altair as alt
import numpy as np

from rare_neurons.atlas.questions import by_slot, facts_of, first_up, judged
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import Content
from rare_neurons.figures.findings import unit_of
from rare_neurons.numerics.evidence.rows import EvidenceRow
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.numerics.wording.phrases import p_digits
from rare_neurons.numerics.wording.standing import Standing

_WHO = {"seeds": "other seeds", "beyond_control": "beyond the controls", "specific": "about this stratum"}


def build(tree: Tree) -> Content:
    """Draw an interval chart per question, with its tiers in words above it."""
    found = judged(tree)
    slots = dict(by_slot(tree))
    known = {subject: {one.question: _known(one) for one in findings.questions} for subject, findings in found.items()}
    return Content(
        charts={slot: _chart() for slot in slots},
        titles={slot: f"<strong>{Content.escaped(first_up(one.question))}</strong>" for slot, one in slots.items()},
        facts={"questions": {slot: facts_of(one) for slot, one in slots.items()}, "known": known},
    )


def _known(standing: Standing) -> Mapping[str, object]:
    unit = unit_of(standing.about.table, standing.about.column)
    return {"rows": list(_intervals(standing, unit)), "words": _words(standing)}


def _intervals(standing: Standing, unit: str) -> Iterator[Mapping[str, object]]:
    """Yield what is drawn of a question: an estimate with its interval, in units or as a factor."""
    for row in (*standing.runs, *standing.controls):
        yield from _interval(row, row.run, row.role, standing.unit("run", unit))
    for tier, row in standing.beyond.items():
        yield from _interval(row, _WHO[tier], tier, standing.unit(tier, unit))


def _interval(row: EvidenceRow, who: str, kind: str, unit: str) -> Iterator[Mapping[str, object]]:
    if row.estimate is None or row.low is None or row.high is None:
        return
    ratio = row.scale == "log"
    ends = np.array([row.estimate, row.low, row.high])
    estimate, low, high = (np.exp(ends) if ratio else ends).tolist()
    yield {
        "who": who,
        "kind": kind,
        "panel": "factor" if ratio else "share" if row.scale == "share" else unit,
        "estimate": estimate,
        "low": low,
        "high": high,
        "none": 1.0 if ratio else 0.0,
        "p": None if row.p_adjusted is None else p_digits(row.p_adjusted),
        "holds": row.holds,
    }


def _words(standing: Standing) -> list[Mapping[str, str]]:
    """Every tier that was asked: its mark, its p, and why it is not reached."""
    asked = [tier for tier in TIERS if tier == "run" or (tier in standing.beyond and len(standing.runs) > 1)]
    return [
        {
            "mark": standing.mark(tier),
            "tier": tier.replace("_", " "),
            "p": "" if (p := standing.p_value(tier)) is None else p_digits(p),
            "why": standing.why_not(tier),
        }
        for tier in asked
    ]


def _chart() -> dict:
    """One panel of intervals; the script repeats it for each unit that a question's estimates have."""
    y = alt.Y(
        "who:N",
        sort=None,
        title=None,
        axis=alt.Axis(ticks=False, domain=False, labelPadding=6, labelOverlap=False),
    )
    axis = alt.Axis(labelExpr="format(datum.value, '.3~g')", tickCount=5)
    hint = ["who:N", *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("estimate", "low", "high")), "p:N"]
    base = alt.Chart(alt.Data(name="rows")).encode(y=y, tooltip=[*hint, "holds:N"])
    none = alt.Chart(alt.Data(name="rows")).mark_rule(color="#888", strokeDash=[3, 3]).encode(x=alt.X("none:Q"))
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", axis=axis, scale=alt.Scale(zero=False)), x2="high:Q", color=alt.Color("colour:N", scale=None)
    )
    points = base.mark_point(size=70, opacity=1).encode(
        x=alt.X("estimate:Q"),
        shape=alt.Shape("shape:N", scale=None),
        stroke=alt.Stroke("colour:N", scale=None),
        fill=alt.Fill("fill:N", scale=None),
    )
    return alt.layer(none, bars, points).to_dict()
