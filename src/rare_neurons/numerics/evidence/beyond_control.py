"""Tier `beyond control`: whether controls that cannot learn it do the same."""

from __future__ import annotations

from rare_neurons.numerics.grid.leave_outs import LeaveOuts

from .comparison import Comparison, Decision, compare, no_comparison
from .seeds import MIN_RUNS, count_runs, panel_part, run_part

MIN_CONTROLS = 2
"""One control has no scatter of its own; with two, effects of four standard deviations are found in 79 %."""


def judge_beyond_control(runs: LeaveOuts, controls: LeaveOuts, *, decision: Decision | None = None) -> Comparison:
    """Test the mean change of the runs against that of the controls.

    Welch's test with a third part: ``V = s₁²/n + s₀²/m + V_panel(difference)``, the last one the two-way jackknife
    variance of the difference of means, since all are evaluated on one panel. No pooled variance: controls need not
    scatter like runs. With one control the runs' own scatter stands in for it (status ``one_control``).

    Parameters
    ----------
    runs, controls : LeaveOuts, shape (run,), (control,)
        Changes at the declared checkpoint on one scale (`seeds.change_between`), of the same panel and grid.
    decision : Decision, optional

    Returns
    -------
    Comparison
        Estimate: mean change of runs less that of controls.

    Raises
    ------
    ValueError
        If an argument does not have one axis, or the grids differ.
    """
    n, m = count_runs(runs), count_runs(controls)
    if runs.n_folds != controls.n_folds:
        raise ValueError(f"runs on {runs.n_folds} folds, controls on {controls.n_folds}; both need the same panel")
    if n < MIN_RUNS:
        reason = f"{n} runs, but the comparison with controls needs {MIN_RUNS}"
        return no_comparison(n_runs=n, n_controls=m, status="too_few_runs", reason=reason)
    if m == 0:
        reason = f"no control, but the comparison needs {MIN_CONTROLS}"
        return no_comparison(n_runs=n, n_controls=m, status="too_few_controls", reason=reason)
    difference = runs.mean() - controls.mean()
    variance, freedom = run_part(runs)
    control_part = run_part(controls) if m > 1 else (variance * n, freedom)
    parts = [(variance, freedom), control_part, panel_part(difference)]
    found = compare(float(difference.value), parts, decision=decision or Decision(), n_runs=n, n_controls=m)
    return _one_control(found) if m == 1 and found.status == "tested" else found


def _one_control(found: Comparison) -> Comparison:
    reason = f"1 control, but the tier needs {MIN_CONTROLS}: p holds only if controls scatter like runs"
    numbers = (getattr(found, name) for name in found.__slots__[:-2])
    return Comparison(*numbers, "one_control", reason)
