"""Rows of tables with what a test plants in them."""

import numpy as np

from rare_neurons.numerics.claims.asked import ask_all
from rare_neurons.numerics.claims.judge import Subject, judge_activity
from rare_neurons.numerics.evidence.question import Rule

RUNS, CONTROLS, STEPS, STRATA = ("a", "b", "c"), ("x", "y"), (0, 16, 128, 1000), ("rare", "common")
N_NEURONS = 256
BAND = {"null_low": -1.645, "null_median": 0.0, "null_high": 1.645}


def p_of(z):
    """Share of 999 standard normal draws beyond z, about."""
    from scipy.stats import norm

    return float(np.clip(norm.sf(z), 0.001, 1.0))


def organisation_rows(rng, effect):
    """Rows of one checkpoint; `effect` in standard deviations of matched sets, by stratum."""
    rows = []
    for stratum in STRATA:
        for quantity, residualised in (("excess_square_correlation", True), ("square_cosine_without_gradients", False)):
            planted = effect.get(stratum, 0.0) if quantity.startswith("excess") else 0.0
            z, beside = rng.normal() + planted, rng.normal() + planted
            p = max(p_of(z), p_of(beside))
            row = {"stratum": stratum, "sign": "all", "quantity": quantity, "residualised": residualised, **BAND}
            rows.append({**row, "value": z, "placebo_value": z - beside, "claim_p": p, "reason": None})
    return rows


def set_rows(rng):
    """Joint ablations without an interaction."""
    rows = []
    for stratum in STRATA:
        z = rng.normal()
        p = min(1.0, 2 * min(p_of(z), p_of(-z)))
        row = {"stratum": stratum, "sign": "all", "ablation": "mean", "n_permutations": 99, "status": "ok", **BAND}
        rows.append({**row, "interaction": z, "placebo_interaction": rng.normal(), "p_value": p, "reason": None})
    return rows


def routing_rows(rng):
    """One head of each stratum."""
    about = {"head": 0, "status": "ok", "reason": None}
    return [{**about, "stratum": s, "against": STRATA[s == "rare"], "p_max": p_of(rng.normal())} for s in STRATA]


def kind_rows(rng, share):
    """Neurons of the one layer that counts, and of one that does not."""
    dead = rng.random(N_NEURONS) < share
    flags = {"positional": False, "suppressor": False}
    rows = [{"layer": 1, "counted": True, "kind": "dead" if one else "other", **flags} for one in dead]
    return [*rows, {"layer": 0, "counted": False, "kind": "token_detector", **flags}]


def tables(rng, *, effect=None, scatter=0.0, dead=(0.0, 0.0), steps=STEPS):
    """Tables of runs and controls; `effect` on trained runs, `scatter` over all runs and controls, `dead` by side."""
    found = {name: {} for name in ("organisation", "sets", "routing", "kinds")}
    for model in (*RUNS, *CONTROLS):
        own = {s: scatter * rng.normal() for s in STRATA}
        for name in found:
            found[name][model] = {}
        for step in steps:
            planted = {s: own[s] + ((effect or {}).get(s, 0.0) if model in RUNS else 0.0) for s in STRATA}
            found["organisation"][model][step] = organisation_rows(rng, planted if step else {})
            found["sets"][model][step] = set_rows(rng)
            found["routing"][model][step] = routing_rows(rng)
            found["kinds"][model][step] = kind_rows(rng, dead[model in CONTROLS] if step else 0.0)
    return found


def judge(found, *, runs=RUNS, controls=CONTROLS, step="last"):
    """Rows of the ledger."""
    return judge_activity(ask_all(found, STRATA), Subject("s", runs, controls), rule=Rule(), step=step)
