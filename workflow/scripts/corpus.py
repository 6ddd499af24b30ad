"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.corpus import CorpusSettings, write_corpus
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    settings = {name: value for name, value in snakemake.params.items() if name != "version"}
    write_corpus(
        **dict(snakemake.output.items()),
        text=snakemake.input.text,
        tokenizer=snakemake.input.tokenizer,
        counts=snakemake.input.get("counts") or None,
        settings=CorpusSettings(**settings),
        version=snakemake.params.version,
    )
