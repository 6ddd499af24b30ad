"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.replication import write_replication
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_replication(**dict(snakemake.output.items()), **dict(snakemake.params.items()))
