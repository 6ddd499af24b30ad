"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.panel import check_panels
from rare_neurons.stages.pretrain import Training, write_checkpoints
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    model = snakemake.config["models"][snakemake.params.model]
    same = [p for p in snakemake.config["panels"].items() if all(p[1][k] == model[k] for k in ("corpus", "tokenizer"))]
    check_panels(snakemake.input.tokens, dict(same))
    write_checkpoints(
        snakemake.output[0],
        tokens=snakemake.input.tokens,
        tokenizer=snakemake.input.tokenizer,
        training=Training(**arguments(snakemake.params)),
        threads=snakemake.threads,
    )
