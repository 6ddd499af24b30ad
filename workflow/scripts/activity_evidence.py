"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.activity_evidence import write_activity_evidence
from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_activity_evidence(snakemake.output[0], **arguments(snakemake.input, snakemake.params))
