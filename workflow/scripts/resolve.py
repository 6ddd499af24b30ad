"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.reporting import reported
from rare_neurons.stages.resolve import source_of, write_resolved

with reported(snakemake.log[0]):
    params = snakemake.params
    write_resolved(
        snakemake.output[0],
        model=params.model,
        step=params.step,
        source=source_of(params.entry, params.pretrained),
        tokenizer=snakemake.input.tokenizer,
        cache=snakemake.config["cache"],
    )
