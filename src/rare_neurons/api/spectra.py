"""The spectrum of every weight matrix of a model in memory."""

from collections.abc import Mapping

import pyarrow as pa
from transformers import PreTrainedModel

from rare_neurons.api.measurement import Measurement, about_tables, unplaced
from rare_neurons.api.model import digest_of_model, plain_model, shapes_of, tensors_of
from rare_neurons.api.options import N_PROJECTIONS, SPECTRA, completed
from rare_neurons.stages.spectra import measure_tensors
from rare_neurons.tables import from_rows, sort_rows, table_entry


def measure_spectra(model: PreTrainedModel, *, options: Mapping[str, object] | None = None) -> Measurement:
    """Measure the eigenvalues of every weight matrix, its power-law exponent and what noise makes of it.

    Parameters
    ----------
    model : PreTrainedModel
        A causal language model of a known family, in any dtype, on any device; it is not run.
    options : mapping, optional
        Keys of section ``spectra`` of the configuration (config/README.md).

    Returns
    -------
    Measurement
        ``to_pandas()``: one row per matrix (docs/methods/spectra.md). Further tables: eigenvalues, fingerprint.
        Figures: ``alpha``, ``stable_rank``.

    Raises
    ------
    RequestError
        If the model or an option cannot be used.

    Examples
    --------
    >>> measure_spectra(model).to_pandas()[["layer", "matrix", "alpha"]]  # doctest: +SKIP
    """
    network = plain_model(model)
    asked = completed("measure_spectra", SPECTRA, options)
    config, shapes = network.config.to_dict(), shapes_of(network)
    rows = measure_tensors(config, shapes, tensors_of(network), asked, N_PROJECTIONS)
    params = {"spectra": asked, "eigenvalues": {}, "fingerprint": {"n_projections": N_PROJECTIONS}}
    place = {"model": "", "step": 0}
    tables = {name: unplaced(name, _sorted(name, from_rows(name, getattr(rows, name), place))) for name in params}
    return Measurement(
        tables, about_tables("spectra", params, {"parameters": digest_of_model(network)}, dtype="float64")
    )


def _sorted(name: str, table: pa.Table) -> pa.Table:
    """Sort rows as they are in a file: by layer, embeddings last."""
    return sort_rows(table, table_entry(name).keys)
