"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.lineage import write_lineage
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_lineage(*snakemake.output, **arguments(snakemake.input, snakemake.params))
