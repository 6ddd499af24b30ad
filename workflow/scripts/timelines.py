"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.timelines import write_timeline

with reported(snakemake.log[0]):
    write_timeline(snakemake.output[0], **arguments(snakemake.input, snakemake.params))
