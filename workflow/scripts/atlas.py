"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.atlas import write_atlas
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_atlas(snakemake.output[0], **arguments(snakemake.params))
