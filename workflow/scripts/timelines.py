"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.timelines import write_timelines

with reported(snakemake.log[0]):
    found = arguments(snakemake.input, snakemake.params)
    write_timelines(
        arguments(snakemake.output),
        integrity=found.pop("integrity"),
        tokens_per_step=found.pop("tokens_per_step"),
        shards=found,
    )
