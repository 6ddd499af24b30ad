"""Unpack `snakemake` and call the stage. Where weights and finished tables lie is no parameter of what is measured."""

from rare_neurons.stages.allocation import Interval, write_allocation
from rare_neurons.stages.arguments import arguments, in_lists
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    inputs, params = arguments(snakemake.input), arguments(snakemake.params)
    before, after, between = inputs.pop("before"), inputs.pop("after"), params.pop("between")
    inside = inputs.pop("between")
    folders = [*inputs.pop("folders_before"), *inputs.pop("folders_between")]
    # Of the Hub, and where a disk is shared, there are none.
    elsewhere = dict(zip([*before, *inside], folders, strict=True)) if folders else {}
    write_allocation(
        in_lists(snakemake.output),
        intervals=[
            Interval(start, end, middle, elsewhere) for start, end, middle in zip(before, after, between, strict=True)
        ],
        place=Workplace.of(snakemake.config, snakemake.threads, folders=inputs.pop("folders")),
        inputs=inputs,
        **params,
    )
