"""Unpack `snakemake` and call the stage. Where weights are cached is no parameter of what is measured."""

from rare_neurons.stages.groups import write_groups
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_groups(
        snakemake.output[0],
        **dict(snakemake.input.items()),
        cache=snakemake.config["cache"],
        **dict(snakemake.params.items()),
    )
