"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.corpus import CorpusSettings, write_corpus
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_corpus(
        **arguments(snakemake.output),
        text=snakemake.input.text,
        tokenizer=snakemake.input.tokenizer,
        counts=next(iter(snakemake.input.get("counts") or ()), None),
        settings=CorpusSettings(**arguments(snakemake.params)),
    )
