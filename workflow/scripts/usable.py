"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.usable import write_usable

with reported(snakemake.log[0]):
    write_usable(snakemake.output[0], **arguments(snakemake.params))
