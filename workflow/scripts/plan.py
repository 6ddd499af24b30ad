"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.plan import print_plan
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    print_plan(cache=snakemake.config["cache"], **dict(snakemake.params.items()))
