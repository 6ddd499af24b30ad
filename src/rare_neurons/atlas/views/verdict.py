"""What is found of the primary questions, and whether the checkpoints behind it are good."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from rare_neurons.atlas.questions import findings_of
from rare_neurons.atlas.tree import Subject, Tree
from rare_neurons.atlas.view import Content
from rare_neurons.figures.findings import unit_of
from rare_neurons.figures.style import QUARANTINED, VERDICTS
from rare_neurons.numerics.wording.phrases import several
from rare_neurons.numerics.wording.words import describe


def build(tree: Tree) -> Content:
    """Say the primary questions in the summary's words; draw the verdict on every checkpoint as a strip."""
    words = "".join(_of_subject(tree, subject) for subject in tree.subjects)
    strip = _strip(tree.integrity, tree.models)
    titles = {"integrity": "Verdict on every checkpoint; × marks a quarantined one, which enters no curve"}
    return Content(html=words + _checkpoints(tree), charts={"integrity": strip}, titles=titles, columns=1)


def is_control(tree: Tree, subject: Subject) -> bool:
    """Say whether a subject is there to be compared with another."""
    return any(set(subject.runs) <= set(other.controls) for other in tree.subjects)


def _of_subject(tree: Tree, subject: Subject) -> str:
    findings = findings_of(tree, subject)
    if tree.panel is None or is_control(tree, subject):
        return ""
    name = Content.escaped(subject.name)
    if findings is None:
        return f'<p class="nothing">Nothing was judged of {name} at this panel.</p>'
    who = f"{several(findings.n_runs, 'run')}, {several(findings.n_controls, 'control')}"
    primary = [one for one in findings.questions if one.about.primary] or findings.questions[:1]
    sentences = [
        describe(one, findings.onsets, findings.turns, unit=unit_of(one.about.table, one.about.column))
        for one in primary
    ]
    return f'<p class="verdict"><strong>{name}</strong> ({who})</p>' + "".join(map(_sentence, sentences))


def _sentence(sentences: Sequence[str]) -> str:
    """Lead with what moves; what follows are the tiers."""
    first, *rest = map(Content.escaped, sentences)
    return f'<p class="verdict"><span class="lead">{first}</span> {" ".join(rest)}</p>'


def _checkpoints(tree: Tree) -> str:
    bad = tree.integrity[tree.integrity.quarantined]
    done = len(tree.integrity) - len(bad)
    line = f"<strong>{done:,} checkpoints</strong> of {several(len(tree.models), 'model')} are measured and good"
    if bad.empty:
        return f"<p>{line}, none is quarantined.</p>"
    why = "; ".join(f"{row.model} step {row.step:,}: {row.reason or row.status}" for row in bad.head(6).itertuples())
    why += " …" if len(bad) > 6 else ""
    return f"<p>{line}, <strong>{len(bad):,} quarantined</strong>: {Content.escaped(why)}</p>"


def _strip(integrity: pd.DataFrame, models: Sequence[str]) -> dict:
    rows = integrity[["model", "step", "status", "quarantined", "reason"]].copy()
    rows["reason"] = rows.reason.fillna("")
    statuses = list(dict.fromkeys(rows.status))
    colours = [VERDICTS.get(status, QUARANTINED) for status in statuses]
    steps = sorted(set(rows.step))
    base = alt.Chart(alt.Data(values=rows.to_dict("records"))).encode(
        x=alt.X("step:O", sort=steps, title="training step", axis=alt.Axis(labelAngle=0, labelOverlap="parity")),
        y=alt.Y("model:N", sort=list(models), title=None),
        tooltip=["model:N", "step:Q", "status:N", "reason:N"],
    )
    scale = alt.Scale(domain=statuses, range=colours)
    cells = base.mark_rect(stroke="white").encode(color=alt.Color("status:N", scale=scale, title=None))
    crosses = base.transform_filter("datum.quarantined").mark_text(text="×", fontSize=14)
    return (cells + crosses).properties(width="container", height=18 * len(models)).to_dict()
