"""Unpack `snakemake` and call the stage. Where weights are is no parameter of what is measured."""

from rare_neurons.stages.probe import write_probe
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_probe(
        dict(snakemake.output.items()),
        **dict(snakemake.input.items()),
        cache=snakemake.config["cache"],
        placement=snakemake.config["probe"].get("placement"),
        threads=snakemake.threads,
        **dict(snakemake.params.items()),
    )
