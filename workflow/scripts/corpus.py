"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.corpus import write_corpus
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_corpus(
        snakemake.output.tokens,
        snakemake.output.unigram,
        text=snakemake.input.text,
        tokenizer=snakemake.input.tokenizer,
        counts=snakemake.input.get("counts") or None,
        **dict(snakemake.params.items()),
    )
