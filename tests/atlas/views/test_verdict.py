from rare_neurons.atlas.questions import findings_of
from rare_neurons.atlas.tree import Subject, Tree
from rare_neurons.atlas.view import Content
from rare_neurons.atlas.views.verdict import build, is_control
from rare_neurons.figures.style import QUARANTINED, VERDICTS
from rare_neurons.numerics.wording.words import describe
from tests.figures.questions import CONTROL, RUNS, STEPS
from tests.figures.tree import HELD


def test_the_first_question_is_said_in_the_words_of_the_summary(tree):
    findings = findings_of(tree, tree.subjects[0])
    sentences = describe(findings.questions[0], findings.onsets, findings.turns, unit="nats per token")
    text = build(tree).html
    assert all(Content.escaped(sentence) in text for sentence in sentences)


def test_quarantined_checkpoints_are_counted_and_named(tree):
    text = build(tree).html
    assert "<strong>11 checkpoints</strong> of three models" in text
    assert f"<strong>1 quarantined</strong>: {HELD[0]} step {HELD[1]}: detour" in text


def test_the_strip_has_a_cell_for_every_checkpoint_and_colours_by_verdict(tree):
    cells, crosses = build(tree).charts["integrity"]["layer"]
    values = build(tree).charts["integrity"]["data"]["values"]
    assert {(row["model"], row["step"]) for row in values} == {(m, s) for m in (*RUNS, CONTROL) for s in STEPS}
    scale = cells["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {"ok": VERDICTS["ok"], "detour": QUARANTINED}
    assert crosses["transform"] == [{"filter": "datum.quarantined"}]


def test_a_control_has_no_verdict_of_its_own(tree):
    control = Subject("controls", (CONTROL,))
    both = Tree(tree.results, [*tree.subjects, control], "heldout")
    assert is_control(both, control)
    assert not is_control(both, tree.subjects[0])
    assert "controls</strong>" not in build(both).html


def test_without_evidence_it_is_said(tree):
    assert "Nothing was judged of a" in build(Tree(tree.results, tree.subjects, "other")).html
