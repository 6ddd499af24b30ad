"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.plan import Request, print_plan
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    print_plan(Request(**snakemake.params.request), steps=snakemake.params.steps, as_json=snakemake.params.as_json)
