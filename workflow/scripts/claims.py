"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.claims import write_claims
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_claims(snakemake.output[0], **dict(snakemake.input.items()), **dict(snakemake.params.items()))
