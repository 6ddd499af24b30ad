"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.summary import write_summary

with reported(snakemake.log[0]):
    write_summary(*snakemake.output, **arguments(snakemake.params))
