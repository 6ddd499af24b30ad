"""The one list of per-checkpoint metrics: each is a rule of the DAG, a folder of shards and a timeline."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metric:
    """A quantity computed from one checkpoint's influence.

    Attributes
    ----------
    name : str
        Of the rule, and of its options in the configuration.
    function : str
        ``module:function`` taking an `InfluenceShard` and the options (and ``null_tables``, where it reads them),
        returning for each table a list of rows; named rather than imported, so that listing the metrics costs nothing.
    tables : mapping
        Table name (a folder of results) to the ``module:dataclass`` of its rows.
    version : int
        Raise it when the numbers change.
    timelines : tuple of str
        Tables that become timelines.
    null_tables : bool
        Whether it reads the null tables of the regime test.
    """

    name: str
    function: str
    tables: Mapping[str, str]
    version: int
    timelines: tuple[str, ...] = field(default=())
    null_tables: bool = False

    def load(self) -> Callable[..., Mapping[str, list]]:
        """Import the function."""
        return load(self.function)


def load(name: str) -> Callable | type:
    """Import ``module:attribute``."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


METRICS = (
    Metric(
        name="differentiation",
        function="rare_neurons.numerics.influence.differentiation:measure_differentiation",
        tables={"differentiation": "rare_neurons.numerics.influence.differentiation:DifferentiationRow"},
        version=1,
        timelines=("differentiation",),
    ),
    Metric(
        name="regimes",
        function="rare_neurons.numerics.regimes.tables:measure_regime_tables",
        tables={
            "regimes": "rare_neurons.numerics.regimes.tables:RegimeTableRow",
            "curves": "rare_neurons.numerics.regimes.tables:CurvePoint",
            "differences": "rare_neurons.numerics.regimes.tables:DifferenceRow",
        },
        version=1,
        timelines=("regimes", "differences"),
        null_tables=True,
    ),
)
