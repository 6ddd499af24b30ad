"""Whether a set of one stratum is organised more than what grows alike in all strata explains.

A difference between strata grows with everything: where sets of rare tokens are organised more from the start, a growth
of all by one factor makes it larger. Ratios do not see that factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rare_neurons.numerics.evidence.beyond_control import MIN_CONTROLS
from rare_neurons.numerics.evidence.comparison import Comparison, Decision, no_comparison
from rare_neurons.numerics.evidence.contrasts import LEAST_FACTOR
from rare_neurons.numerics.evidence.seeds import MIN_RUNS

from .findings import Finding
from .over_runs import Tested, beyond_controls, over_runs

RESOLVED_SD = 2.0
"""An effect has a logarithm from so many standard deviations of single sets on, as a mean square of influence has."""

ALLOWED = LEAST_FACTOR**2
"""Growth of both strata may be so much larger on the first: effects are squares of correlations and cosines."""

LOG, SHARE = "log ratio of strata", "share beyond common growth"
LOG_SHARE = "log ratio of strata beyond common growth"


@dataclass(frozen=True)
class Pair:
    """What one run's checkpoint says of two strata's sets."""

    first: Finding
    second: Finding


Pairs = Sequence[Pair]


@dataclass(frozen=True)
class _Read:
    """Effects of both strata beyond one thing, of one run, with their standard deviations."""

    first: float
    second: float
    spread: tuple[float, float]

    @property
    def resolved(self) -> tuple[bool, bool]:
        effects = (self.first, self.second)
        return tuple(x > RESOLVED_SD * sd for x, sd in zip(effects, self.spread, strict=True))

    @property
    def both(self) -> bool:
        return all(self.resolved)


def judge_specific(runs: Pairs, controls: Pairs, *, decision: Decision) -> Tested:
    """Test whether the first stratum's sets are organised more than a growth that both share explains.

    Log form, where both effects e of every run and every control exceed `RESOLVED_SD` standard deviations of single
    sets: ``λ = ln(e_first / e_second)``, over runs against zero and against the controls' λ. To leave out the controls
    that do not would choose among them by the outcome. Otherwise the share form: ``1 − κ² e_second / e_first`` with
    κ² = `ALLOWED` (over runs ``ln(e_first / (κ² e_second))`` where the second stratum is resolved in all); a control
    whose first stratum is not resolved has ``e_first`` over the mean of the runs'. Where a run's first stratum is not
    resolved there is neither, and nothing is judged. All of it beyond matched sets and, where there is one, beyond the
    placebo: the largest p counts, and where one of them is not judged nothing is.

    Parameters
    ----------
    runs, controls : sequence of Pair
        At one checkpoint.
    decision : Decision

    Returns
    -------
    Tested
        Its unit names the form of what is beyond matched sets over runs; its minimal effect is the larger of those
        tests beyond matched sets that are of this unit.
    """
    own, other = ([p for p in side if None not in (p.first.beyond, p.second.beyond)] for side in (runs, controls))
    few = _too_few(runs, own, controls, other)
    if few is not None:
        return Tested(few, None, None)
    unit, over, control = _judge([_read(p, "beyond") for p in own], [_read(p, "beyond") for p in other], decision)
    tests, placebo = [("", over), ("", control)], None
    if all(None not in (p.first.placebo, p.second.placebo) for p in (*own, *other)):
        beside = [[_read(p, "placebo") for p in side] for side in (own, other)]
        form, *more = _judge(*beside, decision)
        tests += [("beyond the placebo, ", test) for test in more]
        # Of another form it is a number of another unit.
        placebo = more[0].estimate if form == unit else None
    for than, test in tests:
        if test.status != "tested":
            counts = {"n_runs": len(own), "n_controls": len(other)}
            return Tested(no_comparison(**counts, status=test.status, reason=than + test.reason), None, None)
    alike = (over,) if unit == LOG_SHARE else (over, control)
    smallest = max((test.minimal_effect for test in alike if test.minimal_effect is not None), default=None)
    told = replace(over, minimal_effect=smallest, n_controls=control.n_controls)
    return Tested(told, placebo, max(test.p_value for _, test in tests), unit)


def _judge(
    runs: Sequence[_Read], controls: Sequence[_Read], decision: Decision
) -> tuple[str | None, Comparison, Comparison]:
    """Return the form of the test over runs, that test, and the one against controls."""
    if all(one.both for one in (*runs, *controls)):
        own, other = [_log(run) for run in runs], [_log(one) for one in controls]
        return LOG, over_runs(own, decision=decision).comparison, beyond_controls(own, other, decision=decision)
    weak = sum(not run.resolved[0] for run in runs)
    if weak:
        none = _not_resolved(weak, len(runs), len(controls))
        return None, none, none
    own = [_share(run) for run in runs]
    unit, over = (LOG_SHARE, [_log(run, ALLOWED) for run in runs]) if all(run.both for run in runs) else (SHARE, own)
    mean = float(np.mean([run.first for run in runs]))
    other = [_share(one) if one.resolved[0] else _silent(one, mean) for one in controls]
    return unit, over_runs(over, decision=decision).comparison, beyond_controls(own, other, decision=decision)


def _read(pair: Pair, name: str) -> _Read:
    spread = (pair.first.spread, pair.second.spread)
    return _Read(getattr(pair.first, name), getattr(pair.second, name), spread)


def _log(read: _Read, allowed: float = 1.0) -> Finding:
    value = float(np.log(read.first / (allowed * read.second)))
    spread = float(np.hypot(read.spread[0] / read.first, read.spread[1] / read.second))
    return Finding(-1, beyond=value, spread=spread)


def _share(read: _Read) -> Finding:
    part = ALLOWED / read.first
    spread = part * float(np.hypot(read.spread[1], read.spread[0] * read.second / read.first))
    return Finding(-1, beyond=1 - part * read.second, spread=spread)


def _silent(read: _Read, unit: float) -> Finding:
    return Finding(-1, beyond=read.first / unit, spread=read.spread[0] / unit)


def _not_resolved(weak: int, n_runs: int, n_controls: int) -> Comparison:
    effects = f"effects of {weak} of {n_runs} runs do not exceed {RESOLVED_SD:g} standard deviations of single sets"
    reason = f"{effects}, so that no ratio of strata exists; more rows or runs that show more would give one"
    return no_comparison(n_runs=n_runs, n_controls=n_controls, status="not_resolved", reason=reason)


def _too_few(runs: Pairs, own: Pairs, controls: Pairs, other: Pairs) -> Comparison | None:
    counts = {"n_runs": len(own), "n_controls": len(other)}
    if len(own) < MIN_RUNS:
        why = next((f": {x.reason}" for p in runs for x in (p.first, p.second) if x.beyond is None and x.reason), "")
        reason = f"{len(own)} of {len(runs)} runs have a value of both strata, but {MIN_RUNS} are needed{why}"
        return no_comparison(**counts, status="too_few_runs", reason=reason)
    if len(other) < MIN_CONTROLS:
        reason = f"{len(other)} of {len(controls)} controls have a value of both strata, but {MIN_CONTROLS} are needed"
        return no_comparison(**counts, status="too_few_controls", reason=reason)
    return None
