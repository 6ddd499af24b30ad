"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.timelines import write_timelines

with reported(snakemake.log[0]):
    shards = arguments(snakemake.input)
    write_timelines(
        arguments(snakemake.output),
        integrity=shards.pop("integrity"),
        shards=shards,
        **arguments(snakemake.params),
    )
