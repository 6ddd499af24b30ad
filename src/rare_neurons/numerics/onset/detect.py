"""Onset of a quantity over training: one rule, declared before looking, against what noise alone would draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.onset.dates import Dates, date_change, resample_interval, seed_interval
from rare_neurons.numerics.onset.nulls import (
    Measure,
    ar1_p,
    evaluation_p,
    measure_change,
    measure_coherence,
    minimal_change,
    random_walk_p,
    white_noise_p,
)
from rare_neurons.numerics.onset.rule import Onset, OnsetRule
from rare_neurons.numerics.onset.series import at_doublings

MIN_SEEDS_FOR_A_LAW = 3


@dataclass(frozen=True, eq=False)
class _Series:
    """A quantity over checkpoints: its mean [step], its runs [seed, step] and its resamples [resample, step]."""

    steps: NDArray
    values: NDArray[np.float64]
    runs: NDArray[np.float64]
    resamples: NDArray[np.float64] | None

    def finite(self) -> _Series:
        """Keep the checkpoints with all values; of the resamples only the departures from their mean."""
        keep = np.isfinite(self.values) & np.isfinite(self.runs).all(axis=0)
        resamples = self.resamples
        if resamples is not None:
            keep &= np.isfinite(resamples).all(axis=0)
            resamples = self.values[keep] + resamples[:, keep] - resamples[:, keep].mean(axis=0)
        return _Series(self.steps[keep], self.values[keep], self.runs[:, keep], resamples)

    def tested(self, rule: OnsetRule) -> NDArray[np.float64]:
        """Return the runs at the checkpoints that the test reads."""
        return self.runs if rule.grid == "all" else self.runs[:, at_doublings(self.steps)]

    def sign(self, rule: OnsetRule) -> int:
        """Return 1 where the rule looks for a rise of these values, else -1."""
        if rule.direction != "either":
            return 1 if rule.direction == "rise" else -1
        extent = {"baseline": rule.baseline, "persistence": rule.persistence}
        rise, fall = (measure_change(self.values, **extent, direction=way) for way in ("rise", "fall"))
        return 1 if rise >= fall else -1


def detect_onset(
    steps: ArrayLike,
    values: ArrayLike,
    *,
    rule: OnsetRule,
    resamples: ArrayLike | None = None,
    seeds_values: ArrayLike | None = None,
    seed: int | np.random.Generator = 0,
    draws: int = 1999,
    minimal: bool = True,
) -> Onset:
    """Decide whether a change set in, and between which checkpoints.

    Checkpoints with a missing value (NaN) in any seed are left out, which widens the censoring interval.

    Parameters
    ----------
    steps : array [step]
        Optimizer updates, increasing.
    values : array [step]
        The quantity; the mean over seeds where `seeds_values` is given.
    rule : OnsetRule
    resamples : array [resample, step] | None
        `values` recomputed from resampled contexts, each draw of contexts used for all steps. Only departures from
        their mean are used, for a resampled statistic may be biased (kurtosis is).
    seeds_values : array [seed, step] | None
        The quantity in each run. Runs are taken to be independent: what all share (the recipe) is the finding.
    seed : int | numpy.random.Generator
    draws : int
        Draws per null.
    minimal : bool
        Whether to work out `minimal_effect`, which takes most of the time; None otherwise. Simulations leave it out.

    Returns
    -------
    Onset
        With status "not_identifiable" if the checkpoints are too few to call any change at the rule's level.

    Raises
    ------
    ValueError
        If shapes disagree, steps do not increase, or draws or resamples are too few for the level.

    Notes
    -----
    Cost: a few times `draws` x seeds x steps additions; 15 ms for one run of 12 checkpoints, 50 ms for ten of 154.
    """
    series = _check(steps, values, resamples, seeds_values)
    _check_draws(rule, draws, series.resamples)
    series = series.finite()
    n_seeds, n_steps = series.runs.shape
    found = Onset("ok", False, n_steps, n_seeds, str(rule), minimal_intervals=_minimal_intervals(rule, n_seeds))
    lacking = _lacking(series.tested(rule).shape[1], found, rule)
    if lacking is not None:
        return replace(found, status="not_identifiable", reason=lacking)
    rng = np.random.default_rng(seed)
    found = replace(found, **_test(series, rule, rng, draws))
    if minimal:
        found = replace(found, minimal_effect=_minimal_effect(series.tested(rule), rule, rng))
    dates = _date(series.values, rule, series.sign(rule))
    if found.p_value > rule.level or dates.by is None:
        return replace(found, reason=_why_not(found, rule))
    return replace(found, detected=True, **_steps_of(dates, series.steps), **_interval(series, rule))


def _check(steps: ArrayLike, values: ArrayLike, resamples: ArrayLike | None, seeds_values: ArrayLike | None) -> _Series:
    steps, values = np.asarray(steps), np.asarray(values, dtype=float)
    if steps.ndim != 1 or values.shape != steps.shape:
        raise ValueError(f"onset: values {values.shape} must have the shape of steps {steps.shape}, one per checkpoint")
    if np.any(np.diff(steps) <= 0):
        raise ValueError(f"onset: steps must increase, got {steps.tolist()}; sort the timeline by step")
    series = values[None] if seeds_values is None else np.asarray(seeds_values, dtype=float)
    resamples = None if resamples is None else np.asarray(resamples, dtype=float)
    for name, table in (("seeds_values", series), ("resamples", resamples)):
        if table is not None and (table.ndim != 2 or table.shape[1] != len(steps) or len(table) == 0):
            raise ValueError(f"onset: {name} {table.shape} must be [row, step] with {len(steps)} steps")
    return _Series(steps, values, series, resamples)


def _check_draws(rule: OnsetRule, draws: int, resamples: NDArray[np.float64] | None) -> None:
    needed = int(np.ceil(1 / rule.level)) - 1
    for name, count in (("draws", draws), ("resamples", needed if resamples is None else len(resamples))):
        if count < needed:
            raise ValueError(f"onset: {count} {name} cannot reach level {rule.level:g}; use at least {needed}")


def _minimal_intervals(rule: OnsetRule, n_seeds: int) -> int:
    patterns = (2 if rule.direction == "either" else 1) / rule.level
    return int(np.ceil(np.log2(patterns) / n_seeds))


def _lacking(n_tested: int, found: Onset, rule: OnsetRule) -> str | None:
    needed = max(found.minimal_intervals + 1, rule.baseline + rule.persistence)
    if n_tested >= needed:
        return None
    return (
        f"{n_tested} checkpoints to test ({found.n_steps} with a value, grid {rule.grid}, {found.n_seeds} runs), but "
        f"{needed} are needed: at fewer a random walk goes one way too often for level {rule.level:g}; add checkpoints "
        f"or seeds"
    )


def _bound_to(rule: OnsetRule, measure: Callable[..., NDArray[np.float64]]) -> Measure:
    return partial(measure, baseline=rule.baseline, persistence=rule.persistence, direction=rule.direction)


def _test(series: _Series, rule: OnsetRule, rng: np.random.Generator, draws: int) -> dict[str, float | None]:
    change, statistic = _bound_to(rule, measure_change), _bound_to(rule, measure_coherence)
    tested, values = series.tested(rule), series.values
    p_values = {
        "p_white_noise": white_noise_p(tested, statistic, draws=draws, rng=rng),
        "p_ar1": ar1_p(tested, statistic, draws=draws, rng=rng),
        "p_random_walk": random_walk_p(tested, statistic, draws=draws, rng=rng),
        "p_evaluation": None if series.resamples is None else evaluation_p(values, series.resamples - values, change),
    }
    decision = max(p for p in p_values.values() if p is not None)
    return {**p_values, "p_value": decision, "change": float(series.sign(rule) * change(values))}


def _minimal_effect(tested: NDArray[np.float64], rule: OnsetRule, rng: np.random.Generator) -> float | None:
    after = np.arange(tested.shape[1]) - rule.baseline + 1
    ramp = np.clip(after / after[-1], 0, 1) * (-1 if rule.direction == "fall" else 1)
    return minimal_change(tested, _bound_to(rule, measure_coherence), ramp=ramp, level=rule.level, power=0.8, rng=rng)


def _date(values: NDArray[np.float64], rule: OnsetRule, sign: int) -> Dates:
    threshold = None if rule.threshold is None else sign * rule.threshold
    return date_change(
        sign * values, baseline=rule.baseline, persistence=rule.persistence, threshold=threshold, fraction=rule.fraction
    )


def _why_not(found: Onset, rule: OnsetRule) -> str:
    if found.p_value > rule.level:
        names = {
            "white noise": found.p_white_noise,
            "AR(1)": found.p_ar1,
            "a random walk": found.p_random_walk,
            "evaluation noise": found.p_evaluation,
        }
        worst = max((name for name in names if names[name] is not None), key=names.get)
        return (
            f"{worst} draws such a change in {100 * found.p_value:.2g} % of cases, above {100 * rule.level:g} %; with "
            f"{found.n_seeds} run(s) a change must extend over {found.minimal_intervals} or more intervals"
        )
    return f"the level was never held for {rule.persistence} consecutive checkpoints"


def _steps_of(dates: Dates, steps: NDArray) -> dict[str, int | None]:
    def step(index: int | None) -> int | None:
        return None if index is None else steps[index].item()

    return {
        "onset_after": step(dates.after),
        "onset_by": step(dates.by),
        "peak_step": step(dates.peak),
        "offset_after": step(dates.offset_after),
        "offset_by": step(dates.offset_by),
    }


def _interval(series: _Series, rule: OnsetRule) -> dict[str, int | str | None]:
    sign = series.sign(rule)
    resampled = [] if series.resamples is None else [_date(one, rule, sign) for one in series.resamples]
    by_seed = [_date(one, rule, sign).by for one in series.runs]
    n_seeds = len(by_seed)
    if n_seeds < MIN_SEEDS_FOR_A_LAW:
        if not resampled:
            return {"interval_kind": None}
        return _bounds("evaluation_only", *resample_interval(resampled, confidence=rule.confidence), series.steps)
    if None in by_seed:
        reason = f"no onset in {by_seed.count(None)} of {n_seeds} seeds: no interval"
        return {"interval_kind": "seeds", "reason": reason}
    shared = [one.by for one in resampled if one.by is not None]
    low, high = seed_interval(
        np.array(by_seed) - 0.5,
        n_steps=len(series.steps),
        confidence=rule.confidence,
        shared_variance=float(np.var(shared)) if shared else 0.0,
    )
    return _bounds("seeds", low, high, series.steps)


def _bounds(kind: str, low: int | None, high: int | None, steps: NDArray) -> dict[str, int | str | None]:
    ends = {"onset_low": low, "onset_high": high}
    return {"interval_kind": kind} | {name: None if at is None else steps[at].item() for name, at in ends.items()}
