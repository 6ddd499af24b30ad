"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.claims import write_claims
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_claims(snakemake.output[0], arguments(snakemake.input), **arguments(snakemake.params))
