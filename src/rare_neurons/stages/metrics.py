"""Stage `metrics`: what takes seconds once the influence of a checkpoint is known, one checkpoint after the other."""

from collections.abc import Mapping, Sequence

from rare_neurons.catalogue import METRICS
from rare_neurons.errors import do_each
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.metric import write_metric
from rare_neurons.stages.set_spectra import write_set_spectra

Paths = Mapping[str, Sequence[str]]


def write_metrics(
    outputs: Paths,
    *,
    shards: Paths,
    null_tables: str | None,
    options: Mapping[str, Mapping[str, object]],
    place: Workplace,
) -> None:
    """Write the tables of every metric, and the spectra of sets, of one checkpoint after the other.

    Parameters
    ----------
    outputs : mapping
        For each table a path for every checkpoint.
    shards : mapping
        Inputs: for ``manifest``, ``influence``, ``cells``, ``activations`` and ``gradients`` a path for each one.
    null_tables : str or None
        Input of metrics that test regimes.
    options : mapping
        Section of the configuration of every metric, and ``set_spectra``.
    place : Workplace

    Raises
    ------
    RequestError
        After all checkpoints: of the first one that does not fit the request.
    """

    def write(index: int) -> None:
        mine = {name: paths[index] for name, paths in shards.items()}
        tables = {name: paths[index] for name, paths in outputs.items()}
        influence, cells, set_spectra = mine["influence"], mine.pop("cells"), tables.pop("set_spectra")
        for rule in METRICS:
            write_metric(
                {table.name: tables[table.name] for table in rule.tables},
                influence=influence,
                cells=cells,
                metric=rule.name,
                options=options[rule.name],
                null_tables=null_tables if rule.null_tables else None,
                kept=place.kept,
            )
        write_set_spectra(set_spectra, **mine, options=options["set_spectra"], place=place.only(index))

    do_each(range(len(shards["manifest"])), write)
