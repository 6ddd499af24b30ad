"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.pretrain import write_checkpoints
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_checkpoints(
        snakemake.output[0],
        tokens=snakemake.input.tokens,
        tokenizer=snakemake.input.tokenizer,
        threads=snakemake.threads,
        **dict(snakemake.params.items()),
    )
