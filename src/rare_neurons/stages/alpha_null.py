"""Stage `alpha_null`: what Gaussian matrices of a family's shapes show, drawn once for all its models and steps."""

from collections.abc import Sequence

import numpy as np

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.spectra.gaussian_null import GaussianNull, draw_alpha_null, n_null_draws
from rare_neurons.stages.reporting import bar
from rare_neurons.tables import from_rows, provenance, read_table, write_rows

Nulls = dict[tuple[int, int], GaussianNull]


def write_alpha_null(output: str, *, spectra: Sequence[str], min_tail: int, seed: int) -> None:
    """Draw the null of every shape.

    Parameters
    ----------
    output : str
    spectra : sequence of str
        Spectra of one checkpoint of each model of the family, which say what shapes there are and how many matrices a
        model has. A bad checkpoint has no rows; the others stand in for it.
    min_tail : int
        As in the fit of the matrices.
    seed : int
        A shape's draws depend on it and the shape alone.
    """
    found = [read_table(path, ["rows", "cols"]).to_pylist() for path in spectra]
    shapes = sorted({(max(row.values()), min(row.values())) for rows in found for row in rows})
    n_draws = n_null_draws(max((len(rows) for rows in found), default=0))
    rows = [
        draw_alpha_null(*shape, n_draws, np.random.default_rng([seed, *shape]), min_tail=min_tail)
        for shape in bar(shapes, label="nulls of alpha, shapes")
    ]
    params = {"n_draws": n_draws, "shapes": [list(shape) for shape in shapes], "min_tail": min_tail, "seed": seed}
    # Not of the shards that named the shapes: equal shapes give equal nulls.
    about = provenance("alpha_null", VERSIONS["alpha_null"], params, {})
    write_rows("alpha_null", from_rows("alpha_null", rows), output, about)


def read_alpha_null(path: str) -> Nulls:
    """Read the nulls of a file by the sides of their matrices, long and short."""
    return {(row["long"], row["short"]): GaussianNull(**row) for row in read_table(path).to_pylist()}
