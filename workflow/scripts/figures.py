"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.figures import write_figures
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_figures(**arguments(snakemake.output, snakemake.params))
