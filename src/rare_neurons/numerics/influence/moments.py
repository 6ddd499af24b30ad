"""What the influence of all neurons of a layer amounts to, free of noise: mean and root mean square over neurons."""

from collections.abc import Mapping

from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts
from rare_neurons.numerics.grid.moments import signed_root
from rare_neurons.numerics.influence.rows import MomentSummary


def summarise_moments(found: Mapping[str, LeaveOuts]) -> MomentSummary:
    """Summarise the moments of one stratum.

    Parameters
    ----------
    found : mapping of str to LeaveOuts
        By column; of `rms_*` the mean square.
    """
    columns: dict[str, float] = {}
    for name, statistic in found.items():
        value, error = float(statistic.value), float(standard_error(statistic))
        if name.startswith("rms_"):
            columns[name] = signed_root(value)
            columns[name.replace("rms", "square") + "_se"] = error
        else:
            columns |= {name: value, f"{name}_se": error}
    return MomentSummary(**columns)
