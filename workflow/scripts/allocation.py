"""Unpack `snakemake` and call the stage. Where weights and finished tables lie is no parameter of what is measured."""

from rare_neurons.stages.allocation import write_allocation
from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    inputs, params = arguments(snakemake.input), arguments(snakemake.params)
    ends = inputs.pop("before"), inputs.pop("after"), params.pop("between")
    inputs.pop("inside")
    write_allocation(
        arguments(snakemake.output),
        inputs,
        intervals=[*zip(*ends, strict=True)],
        **params,
        place=Workplace.of(snakemake.config, snakemake.threads),
    )
