"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.emergence import write_emergence
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_emergence(snakemake.output[0], **dict(snakemake.input.items()), **dict(snakemake.params.items()))
