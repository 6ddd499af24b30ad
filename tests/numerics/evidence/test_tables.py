"""From studies to rows: one adjusted p per question and tier, tiers in order, steps instead of indices."""

import numpy as np
import pytest

from rare_neurons.numerics.evidence.history import History
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.question import Question, Rule
from rare_neurons.numerics.evidence.run_study import study_run
from rare_neurons.numerics.evidence.specific import judge_specific
from rare_neurons.numerics.evidence.strata_pair import RunInfluence, StrataPair
from rare_neurons.numerics.evidence.subject_study import study_subject
from rare_neurons.numerics.evidence.tables import Asked, course_rows, evidence_rows, onset_rows, turn_rows
from rare_neurons.numerics.grid.leave_outs import stack
from tests.numerics.evidence.worlds import mean_square, means

STEPS = (0, 1, 2, 4, 8, 16)
RULE = Rule()
NOISE = draw_noise(n_folds=12, rng=np.random.default_rng(0), draws=999)


def asked(question, truths, controls=(), *, specific=None):
    rng = np.random.default_rng(7)
    sides = []
    for kind, side in (("run", truths), ("control", controls)):
        histories = {f"{kind}{k}": History(STEPS, means(t, rng, size=0.02, memory=0.9)) for k, t in enumerate(side)}
        sides.append({name: study_run(one, question, rule=RULE, noise=NOISE) for name, one in histories.items()})
    own, other = sides
    subject = study_subject(question, runs=list(own.values()), controls=list(other.values()), step=16, rule=RULE)
    return Asked(question, own, other, subject, specific)


FALL, FLAT = [5.0] * 3 + [3.0] * 3, [5.0] * 6
FALLS = [FALL, [5.0] * 3 + [3.1] * 3, [5.0] * 3 + [2.9] * 3]


@pytest.fixture(scope="module")
def found():
    first = Question("falls", "behaviour", "loss", "rare", primary=True)
    second = Question("stays", "behaviour", "loss", "common")
    return [asked(first, FALLS, [FLAT, FLAT]), asked(second, [FLAT] * 3, [FLAT, FLAT])]


def rows_of(found, **where):
    rows = evidence_rows("subject", found, step=16, rule=RULE)
    return [row for row in rows if all(getattr(row, key) == value for key, value in where.items())]


def test_a_question_that_climbs_names_the_highest_tier_in_all_its_rows(found):
    rows = rows_of(found, question="falls")
    assert {row.reached for row in rows} == {"beyond_control"}
    assert [(r.run, r.role, r.tier) for r in rows] == [
        *((f"run{k}", "run", "run") for k in range(3)),
        *((f"control{k}", "control", "run") for k in range(2)),
        ("subject", "all", "seeds"),
        ("subject", "all", "beyond_control"),
    ]
    assert [row.holds for row in rows] == [True, True, True, False, False, True, True]


def test_a_question_that_stays_says_why_and_what_would_have_been_found(found):
    for row in rows_of(found, question="stays"):
        assert not row.holds
        assert row.reached is None
        assert row.p_adjusted > RULE.level
        assert row.minimal_effect > 0
    (run, *_) = rows_of(found, question="stays", tier="run")
    assert "largest held t" in run.reason


def test_p_is_paid_for_by_the_declared_order(found):
    (first, second) = (rows_of(found, tier="seeds", question=name)[0] for name in ("falls", "stays"))
    assert first.p_adjusted == pytest.approx(first.p_value / 0.8)
    # The only secondary question has a fifth of the level, or all of it once the primary one holds.
    assert second.p_adjusted == pytest.approx(min(1, max(second.p_value, first.p_adjusted), second.p_value / 0.2))


def test_a_tier_does_not_hold_where_one_before_it_does_not():
    question = Question("one run only", "behaviour", "loss", "rare", primary=True)
    rows = evidence_rows("s", [asked(question, [FALL, FLAT, FLAT])], step=16, rule=RULE)
    assert [(r.tier, r.holds) for r in rows if r.tier == "run"] == [("run", True), ("run", False), ("run", False)]
    assert {r.reached for r in rows} == {None}
    assert not any(r.holds for r in rows if r.tier != "run")


def test_estimates_at_tier_run_are_changes_with_their_interval(found):
    for row in rows_of(found, question="falls", role="run"):
        assert row.low < row.estimate < row.high < 0


def test_one_test_of_specificity_serves_all_questions_about_its_strata():
    rng = np.random.default_rng(1)

    def influence(size):
        def pair(statistic):
            placebo = stack([statistic(0.1) for _ in range(2)])
            return StrataPair(statistic(size), statistic(1.0), placebo, placebo)

        square = pair(lambda x: mean_square(x * np.ones(20), rng, size=0.02))
        return RunInfluence(square, square, pair(lambda x: means([x], rng, size=0.02)[0]))

    specific = judge_specific(runs=[influence(x) for x in (2.0, 2.1, 1.9)], controls=[influence(1.0)] * 2)
    questions = [
        Question(name, "moments", column, "rare", against="common")
        for name, column in (("mean", "mean_influence_within"), ("any", "rms_influence_within"))
    ]
    rows = evidence_rows("s", [asked(q, FALLS, [FLAT, FLAT], specific=specific) for q in questions], step=16, rule=RULE)
    mine = [row for row in rows if row.tier == "specific"]
    assert [row.p_value for row in mine] == [specific.p_value] * 2
    assert [row.scale for row in mine] == [specific.form] * 2
    # Asked once, so it pays for nothing else.
    assert [row.p_adjusted for row in mine] == [specific.p_value] * 2
    assert all(row.holds == (specific.p_value <= RULE.level) for row in mine)


def test_mixed_signs_say_why_specific_does_not_count():
    # In the default order influence of any sign is a secondary question: what it pays for others is the reason.
    rng = np.random.default_rng(1)

    def influence(size):
        signs = np.where(np.arange(20) % 2, -1.0, 1.0)

        def pair(statistic):
            placebo = stack([statistic(0.0) for _ in range(2)])
            return StrataPair(statistic(size), statistic(0.0), placebo, placebo)

        square = pair(lambda x: mean_square(x * signs, rng, size=0.02))
        return RunInfluence(square, square, pair(lambda x: means([x * signs.mean()], rng, size=0.02)[0]))

    specific = judge_specific(runs=[influence(x) for x in (2.0, 2.1, 1.9)], controls=[influence(0.0)] * 2)
    assert (specific.form, specific.p_value < RULE.level) == ("share", True)
    loss = Question("loss", "behaviour", "loss", "rare", primary=True)
    any_sign = Question("any sign", "moments", "rms_influence_within", "rare", direction="rise", against="common")
    rises = [[0.0] * 3 + [x] * 3 for x in (2.0, 1.0, 2.8)]
    found = [asked(loss, [FLAT] * 3, [FLAT] * 2), asked(any_sign, rises, [[0.0] * 6] * 2, specific=specific)]
    rows = {row.tier: row for row in rows_of(found, question="any sign", role="all")}
    alone, paid = rows["seeds"].p_value, rows["seeds"].p_adjusted
    assert alone < RULE.level < paid
    stop = f"p = {paid:.2g} above 0.05; it is {alone:.2g} of this question alone, before it pays for the others"
    assert rows["seeds"].reason == f"seeds: {stop}"
    assert rows["specific"].p_value == specific.p_value
    assert not rows["specific"].holds
    assert rows["specific"].reason.endswith(f"specific: does not count, since seeds is not reached (seeds: {stop})")


def test_dates_turns_and_courses_are_steps(found):
    onsets = onset_rows("subject", found, rule=RULE)
    mine = {row.run: row for row in onsets if row.question == "falls"}
    assert set(mine) == {"run0", "run1", "run2", "control0", "control1", "subject"}
    assert (mine["run0"].crossed_after, mine["run0"].crossed_by, mine["run0"].sign) == (2, 4, -1)
    assert (mine["subject"].status, mine["subject"].after <= 2, mine["subject"].by >= 4) == ("dated", True, True)
    assert mine["control0"].status == "no_change"
    (turn,) = [row for row in turn_rows(found) if row.run == "run0" and row.question == "falls"]
    assert (turn.start <= 2, turn.end >= 4) == (True, True)
    courses = [row for row in course_rows(found, rule=RULE) if row.run == "run0" and row.question == "falls"]
    assert [row.step for row in courses] == list(STEPS)
    assert all(row.low < row.value < row.high for row in courses)


def test_courses_of_mean_squares_are_signed_roots():
    question = Question("any", "moments", "rms_influence_within", "rare")
    rows = course_rows([asked(question, [[4.0, -1.0, 4.0, 4.0, 4.0, 4.0]])], rule=RULE)
    assert [row.value for row in rows[:2]] == pytest.approx([2.0, -1.0], abs=0.05)
