"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.reporting import reported
from rare_neurons.stages.resolve import source_of, write_all_resolved

with reported(snakemake.log[0]):
    params = snakemake.params
    write_all_resolved(
        snakemake.output,
        model=params.model,
        steps=params.steps,
        source=source_of(params.entry, params.pretrained),
        tokenizer=snakemake.input.get("tokenizer") or None,
        cache=snakemake.config["cache"],
        folders=list(snakemake.input.get("folders", ())),
    )
