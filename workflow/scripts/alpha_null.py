"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.alpha_null import write_alpha_null
from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_alpha_null(snakemake.output[0], **arguments(snakemake.input, snakemake.params))
