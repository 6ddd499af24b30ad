"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.alpha import write_alpha
from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_alpha(**arguments(snakemake.output, snakemake.input, snakemake.params))
