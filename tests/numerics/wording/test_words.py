"""Sentences of single cases, and over random tables that none of them goes beyond the rows."""

import re

import numpy as np

from rare_neurons.numerics.evidence.rows import EvidenceRow
from rare_neurons.numerics.wording.phrases import of_controls
from rare_neurons.numerics.wording.phrases import of_runs as of_runs_words
from rare_neurons.numerics.wording.standing import standings
from rare_neurons.numerics.wording.words import describe
from tests.numerics.evidence.rows_made import SUBJECT, evidence, of_runs, onset, turn

LOG = {"scale": "log", "estimate": np.log(0.7), "low": np.log(0.6), "high": np.log(0.8)}


def said(rows, onsets=(), turns=(), unit="nats"):
    (standing,) = standings(rows)
    return describe(standing, onsets, turns, unit=unit)


WAVE = [turn(f"run{k}", *move) for k in range(3) for move in ((0, 16, 1.0), (128, 1000, -2.0))]
DATED = [onset(f"run{k}", sign=1, by=32 - 16 * (k == 0)) for k in range(3)]


def test_what_moves_in_all_runs_and_in_no_control():
    rows = of_runs(True, True, True) + of_runs(False, False, role="control")
    assert said(rows, DATED, WAVE) == [
        "Loss on rare tokens rises from step 0 to 16 and falls from step 128 to 1,000: found in all three runs and in "
        "none of the two controls (p = 0.002).",
        "Half of the rise is reached after step 8 and by step 32, in all three runs.",
    ]


def test_moves_of_different_places_have_each_their_own():
    rows = of_runs(True, True, True) + of_runs(False, True, role="control")
    turns = [*WAVE, turn("control1", 8, 64, 1.0, "control")]
    assert said(rows, (), turns)[0] == (
        "Loss on rare tokens rises from step 0 to 16 (found in all three runs and in one of two controls) and falls "
        "from step 128 to 1,000 (found in all three runs and in none of the two controls); p = 0.002."
    )


def test_a_turn_of_a_run_in_which_no_change_is_found_does_not_count():
    rows = of_runs(True, True, False)
    assert "found in two of three runs" in said(rows, (), WAVE)[0]


def test_without_shared_turns_the_direction_is_that_of_the_onsets():
    rows = of_runs(True, True, True) + of_runs(True, False, role="control")
    falls = [onset(f"run{k}") for k in range(3)] + [onset("control0", "control")]
    assert (
        said(rows, falls)[0]
        == "Loss on rare tokens falls: found in all three runs and in one of two controls (p = 0.002)."
    )
    mixed = [onset("run0", sign=1), *falls[1:]]
    assert said(rows, mixed)[0].startswith("Loss on rare tokens changes: ")
    assert "Half of the change" in said(rows, mixed)[1]


def test_of_one_run_only_the_first_tier_is_said():
    rows = [*of_runs(True), evidence("seeds", holds=True), evidence("beyond_control", holds=True)]
    assert said(rows, [onset("run0")], [turn("run0", 0, 64, -1.0)]) == [
        "Loss on rare tokens falls from step 0 to 64 (p = 0.002).",
        "Half of the fall is reached after step 8 and by step 32.",
    ]


def test_what_is_not_found_comes_with_what_would_have_been():
    missed = {"minimal_effect": 2e-5}
    assert said(of_runs(False, False, False, **missed)) == [
        "Loss on rare tokens: no change is found in any of the three runs (p = 0.4).",
        "A change by 2e-05 nats would have been found in four of five cases.",
    ]
    some = said(of_runs(True, False, False, **missed))
    assert (
        some[0]
        == "Loss on rare tokens: a change is found in only one of three runs (p = 0.4); more than half must show it."
    )
    assert "no change is found in the one run" in said(of_runs(False))[0]


def test_changes_of_a_mean_square_have_its_unit():
    rows = of_runs(False, column="rms_influence", minimal_effect=4e-8)
    assert said(rows)[1] == "A change by 4e-08 (nats)² would have been found in four of five cases."
    assert "4e-08 would" in said(rows, unit="")[1]


def test_what_cannot_be_judged_says_why():
    rows = of_runs(False, p_adjusted=None, status="too_few_checkpoints", reason="2 good checkpoints, but 3 are needed")
    assert said(rows) == ["Loss on rare tokens cannot be judged: 2 good checkpoints, but 3 are needed."]


def test_other_seeds_with_their_date():
    rows = [*of_runs(True, True, True), evidence("seeds", **LOG)]
    dates = [onset(SUBJECT, "all", sign=1, after=16, by=64)]
    assert said(rows, dates)[1:] == [
        "Other seeds would show a fall: to 0.7 [0.6, 0.8] of the first value on average by step 1,000 (p = 0.002).",
        "Half of the rise is reached, on average over seeds, after step 16 and by step 64.",
    ]
    linear = [*of_runs(True, True, True), evidence("seeds")]
    assert said(linear)[1] == "Other seeds would show a fall: by 1.5 [1, 2] nats on average by step 1,000 (p = 0.002)."


def test_other_seeds_not_shown_or_not_judged():
    first = of_runs(True, True, True)
    seeds = evidence("seeds", holds=False, p_adjusted=0.2, minimal_effect=np.log(2), scale="log")
    assert said([*first, seeds])[1:] == [
        "That other seeds would have changed by step 1,000 is not shown (p = 0.2).",
        "A change by a factor of 2 would have been found in four of five cases.",
    ]
    few = evidence("seeds", holds=False, p_adjusted=None, reason="2 runs, but other seeds can be judged from 3 on")
    assert said([*of_runs(True, True), few])[1:] == [
        "What other seeds would show is not judged: 2 runs, but other seeds can be judged from 3 on."
    ]


def test_controls():
    first = [*of_runs(True, True, True), *of_runs(True, False, role="control"), evidence("seeds")]
    assert said([*first, evidence("beyond_control")])[-1] == (
        "It goes beyond the controls: its change is 1.5 [1, 2] nats below theirs at step 1,000 (p = 0.002)."
    )
    assert said([*first, evidence("beyond_control", **LOG)])[-1] == (
        "It goes beyond the controls: relative to the first value it is 0.7 [0.6, 0.8] times theirs at step "
        "1,000 (p = 0.002)."
    )
    fails = evidence("beyond_control", holds=False, p_adjusted=0.3, minimal_effect=0.5)
    assert said([*first, fails])[-2:] == [
        "More than controls do is not shown at step 1,000 (p = 0.3); one of two controls changed too.",
        "A difference by 0.5 nats would have been found in four of five cases.",
    ]


def test_specific():
    first = [*of_runs(True, True, True), evidence("seeds"), evidence("beyond_control")]
    log = {"scale": "log", "estimate": np.log(2), "low": np.log(1.5), "high": np.log(3)}
    assert said([*first, evidence("specific", **log)])[-1] == (
        "It is about rare tokens: influence on them over that on common ones, beyond a placebo, is 2 [1.5, 3] times "
        "that of the controls (p = 0.002)."
    )
    blind = (
        "mean squares of 1 of 3 runs are not resolved, so means are compared, which do not see effects of mixed signs"
    )
    # Influence itself is compared here, so its unit is not that of the mean square, whatever the question's column.
    linear = evidence("specific", estimate=3e-4, low=1e-4, high=5e-4, column="rms_influence_within", reason=blind)
    rms = [EvidenceRow(**{**vars(row), "column": "rms_influence_within"}) for row in first]
    assert said([*rms, linear])[-2:] == [
        "It is more on rare tokens, beyond a placebo and the controls, by 0.0003 [0.0001, 0.0005] nats (p = 0.002).",
        f"Whether it is more than in proportion is not known: {blind}.",
    ]
    of_growth = {"scale": "share", "reason": "growth of mean squares is compared"}
    share = evidence("specific", estimate=0.86, low=0.1, high=1.6, **of_growth)
    assert said([*first, share])[-2:] == [
        "It is about rare tokens: 0.86 [0.1, 1.6] of the mean square gained there is more than goes with common ones "
        "and with the controls (p = 0.002).",
        "In this, growth of mean squares is compared.",
    ]
    small = evidence("specific", holds=False, p_adjusted=0.3, minimal_effect=0.5, **of_growth)
    assert said([*first, small])[-2:] == [
        "In this, growth of mean squares is compared.",
        "A difference by 0.5 of the mean square gained there would have been found in four of five cases.",
    ]
    fails = evidence("specific", holds=False, p_adjusted=0.3, reason=f"{blind}; specific: p = 0.3 above 0.05")
    assert said([*first, fails])[-2:] == [
        "That it is about rare tokens in particular is not shown (p = 0.3).",
        f"In this, {blind}.",
    ]


def random_tables(rng):
    """Rows with random verdicts, estimates and dates, as likely to contradict each other as not."""
    n, m = int(rng.integers(1, 5)), int(rng.integers(0, 4))

    def numbers(held):
        middle, half = rng.normal(), rng.uniform(0.1, 1)
        p = rng.uniform(0.001, 0.05) if held else (None if rng.random() < 0.2 else rng.uniform(0.06, 1))
        ends = {"estimate": middle, "low": middle - half, "high": middle + half}
        return {
            **ends,
            "holds": held,
            "p_adjusted": p,
            "scale": str(rng.choice(["log", "linear", "share"])),
            "minimal_effect": 0.1,
        }

    runs = [evidence("run", f"run{k}", "run", **numbers(rng.random() < 0.7)) for k in range(n)]
    controls = [evidence("run", f"control{k}", "control", **numbers(rng.random() < 0.5)) for k in range(m)]
    asked = ("seeds", "beyond_control", "specific")[: rng.integers(0, 4)]
    later = [evidence(tier, **numbers(rng.random() < 0.7)) for tier in asked]
    turns, onsets = [], [onset(SUBJECT, "all")] if rng.random() < 0.5 else []
    for row in (*runs, *controls):
        ends = np.sort(rng.choice(2 ** np.arange(8), size=2 * rng.integers(0, 4), replace=False)).reshape(-1, 2)
        turns += [turn(row.run, int(a), int(b), float(rng.choice([-1, 1])), row.role) for a, b in ends]
        onsets.append(onset(row.run, row.role, sign=int(rng.choice([-1, 1]))))
    return [*runs, *controls, *later], onsets, turns


def holding_with_all_before(rows):
    """Tiers that hold with those before them, by the flags alone."""
    runs = [row.holds for row in rows if row.role == "run"]
    held = []
    for tier in ("run", "seeds", "beyond_control", "specific"):
        mine = [row.holds for row in rows if row.tier == tier and row.role == "all"]
        if not (2 * sum(runs) > len(runs) if tier == "run" else mine and mine[0]):
            break
        held.append(tier)
    return held if len(runs) > 1 else held[:1]


CLAIMS = {
    "run": re.compile(r" (rises|falls|changes)\b"),
    "seeds": re.compile(r"Other seeds would show"),
    "beyond_control": re.compile(r"It goes beyond the controls"),
    "specific": re.compile(r"It is (about|more on|less on) rare tokens"),
}


def test_no_sentence_says_more_than_its_row():
    for seed in range(200):
        rows, onsets, turns = random_tables(np.random.default_rng(seed))
        text = " ".join(said(rows, onsets, turns))
        held = holding_with_all_before(rows)
        assert [tier for tier, claim in CLAIMS.items() if claim.search(text)] == held, seed
        by_tier = {row.tier: row for row in rows if row.role == "all"}
        if "seeds" in held:
            assert ("show a rise" in text) == (by_tier["seeds"].estimate > 0), seed


MOVE = re.compile(r"(rises|falls) from step ([\d,]+) to ([\d,]+)(?: \(found ([^)]*)\))?")


def test_every_move_that_is_said_is_in_the_turns_of_that_many_runs_and_controls():
    for seed in range(200):
        compare_moves(*random_tables(np.random.default_rng(seed)))


def compare_moves(rows, onsets, turns):
    first = said(rows, onsets, turns)[0]
    common = re.search(r": found (.*) \(p", first)
    runs, controls = ([row for row in rows if row.role == role] for role in ("run", "control"))
    for verb, *ends, place in MOVE.findall(first):
        start, end = (int(step.replace(",", "")) for step in ends)
        sign = {"rises": 1, "falls": -1}[verb]
        there = {t.run for t in turns if np.sign(t.change) == sign and t.start < end and t.end > start}
        found = {row.run for row in runs if row.holds} & there
        assert 2 * len(found) > len(runs)
        place = place or (common.group(1) if common else "")
        if len(runs) > 1:
            assert of_runs_words(len(found), len(runs)) in place
        if controls:
            assert of_controls(len(there & {row.run for row in controls}), len(controls)) in place
