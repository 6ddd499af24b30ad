"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.evidence import write_evidence
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_evidence(arguments(snakemake.output), **arguments(snakemake.input, snakemake.params))
