"""Unpack `snakemake` and call the stage. Where weights and finished tables lie is no parameter of what is measured."""

from rare_neurons.stages.arguments import in_lists
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.metrics import write_metrics
from rare_neurons.stages.reporting import reported

SHARDS = ("manifest", "influence", "cells", "activations", "gradients")

with reported(snakemake.log[0]):
    shards = in_lists(snakemake.input, *SHARDS)
    place = Workplace.of(snakemake.config, folders=shards.pop("folders", ()))
    write_metrics(
        in_lists(snakemake.output),
        null_tables=shards.pop("null_tables") or None,
        shards=shards,
        options=snakemake.params.options,
        place=place,
    )
