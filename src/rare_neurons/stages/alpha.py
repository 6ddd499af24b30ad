"""Stage `alpha`: every matrix's alpha among Gaussian matrices of its shape, and the step at which it leaves them."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.spectra.gaussian_null import cut_of
from rare_neurons.numerics.spectra.leaving import (
    JUMP,
    LEVEL,
    PERSISTENCE,
    Placed,
    alpha_in_null,
    date_leaving,
    ratio_in_null,
    xmin_jumps,
)
from rare_neurons.stages.alpha_null import Nulls, read_alpha_null
from rare_neurons.tables import file_sha256, from_rows, provenance, read_table, write_rows

_KEPT = ("model", "step", "layer", "matrix", "rows", "cols", "alpha", "n_tail", "lambda_max_over_median", "status")
_JOINED = ("tokens_seen", "loss", "checkpoint_status", "quarantined")
_MATRIX = ("model", "layer", "matrix", "rows", "cols")
_P = {"alpha": "alpha_null_p", "lambda_max_over_median": "lambda_null_p"}
_NOWHERE = Placed(None, None, None, None)


def write_alpha(alpha: str, alpha_events: str, *, spectra: str, null: str) -> None:
    """Place every matrix at every step in its null, and date when it leaves.

    Parameters
    ----------
    alpha, alpha_events : str
        Outputs: one row per matrix and step; one row per matrix and quantity.
    spectra : str
        Timeline of the spectra of one model.
    null : str
        Nulls of the family's shapes.
    """
    nulls = read_alpha_null(null)
    columns = [*_KEPT, *_JOINED, "reason", "n_eigenvalues", "frobenius_norm"]
    found = sorted(read_table(spectra, columns).to_pylist(), key=_order)
    rows, events = [], []
    series = [list(lines) for _, lines in groupby(found, key=lambda row: (row["layer"], row["matrix"]))]
    for lines in series:
        placed = [_place(line, nulls) for line in lines]
        _mark_jumps(placed, lines[0]["n_eigenvalues"])
        rows += placed
    judged = {(row["layer"], row["matrix"]) for row in rows if row["alpha_null_p"] is not None}
    level = LEVEL / max(len(judged), 1)
    for _, lines in groupby(rows, key=lambda row: (row["layer"], row["matrix"])):
        events += _events(list(lines), level)
    inputs = {"spectra": file_sha256(spectra), "null": file_sha256(null)}
    params = {"level": LEVEL, "persistence": PERSISTENCE, "jump": JUMP}
    about = provenance("alpha", VERSIONS["alpha"], params, inputs)
    for name, table, output in (("alpha", rows, alpha), ("alpha_events", events, alpha_events)):
        write_rows(f"timelines/{name}", from_rows(f"timelines/{name}", table), output, about)


def _order(row: dict) -> tuple:
    return (row["layer"] is None, row["layer"] or 0, row["matrix"], row["step"])


def _place(line: dict, nulls: Nulls) -> dict:
    """Row of one matrix at one step."""
    shape = max(line["rows"], line["cols"]), min(line["rows"], line["cols"])
    null, norm = nulls.get(shape), line["frobenius_norm"]
    row = {name: line[name] for name in (*_KEPT, *_JOINED, "reason")}
    alpha, ratio = _NOWHERE, _NOWHERE
    if null is None:
        row |= _why(
            row, "no_null", f"no null for {shape[0]} x {shape[1]}: no model of the family has it at its first step"
        )
    else:
        mean_square = (norm or 0.0) ** 2 / (shape[0] * shape[1])
        ratio = ratio_in_null(line["lambda_max_over_median"], null)
        if row["status"] == "ok":
            alpha = alpha_in_null(line["alpha"], null, mean_square=mean_square)
        if alpha is None:
            said = f"eigenvalues up to {cut_of(mean_square):.3g} mean squared entries are left out of the fit"
            row |= _why(row, "cut_in_bulk", f"{said}, but the null's tails reach down to {null.cut_limit:.3g}")
            alpha = _NOWHERE
    row |= {"alpha_null_p": alpha.p, "lambda_null_p": ratio.p, "n_draws": null and null.n_draws, "xmin_jump": None}
    for name, place in (("alpha", alpha), ("lambda", ratio)):
        row |= {f"{name}_null_{part}": getattr(place, part) for part in ("low", "median", "high")}
    return row


def _why(row: dict, status: str, reason: str) -> dict:
    """Status and reason; those of a spectrum without a fit come first."""
    return {"status": status, "reason": reason} if row["status"] == "ok" else {}


def _mark_jumps(rows: Sequence[dict], n_eigenvalues: int) -> None:
    """Compare each usable checkpoint of a matrix with the usable one before it."""
    usable = [row for row in rows if not row["quarantined"] and row["n_tail"] is not None]
    jumps = xmin_jumps([row["n_tail"] for row in usable], n_eigenvalues)
    for (_, row), jump in zip(pairwise(usable), jumps, strict=True):
        row["xmin_jump"] = bool(jump)


def _events(rows: Sequence[dict], level: float) -> Iterator[dict]:
    """Rows of one matrix: when alpha and the largest eigenvalue leave."""
    usable = [row for row in rows if not row["quarantined"]]
    about = {name: rows[0][name] for name in _MATRIX} | {"level": level}
    about["n_xmin_jumps"] = sum(bool(row["xmin_jump"]) for row in usable)
    for quantity, p in _P.items():
        have = [row for row in usable if row[p] is not None]
        found = date_leaving([row["step"] for row in have], [row[p] for row in have], level=level)
        said = {name: getattr(found, name) for name in found.__slots__}
        yield {**about, **said, "quantity": quantity, "reason": found.reason or None}
