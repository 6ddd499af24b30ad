"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.null_tables import write_null_tables
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_null_tables(snakemake.output[0], **arguments(snakemake.params))
