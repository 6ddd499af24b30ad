"""Unpack `snakemake` and call the stage. Where weights are cached is no parameter of what is measured."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.probe import write_probe
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_probe(
        arguments(snakemake.output),
        arguments(snakemake.input),
        **arguments(snakemake.params),
        cache=snakemake.config["cache"],
        placement=snakemake.config["probe"].get("placement"),
        threads=snakemake.threads,
    )
