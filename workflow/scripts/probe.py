"""Unpack `snakemake` and call the stage. Where weights and finished tables lie is no parameter of what is measured."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.kept import Kept
from rare_neurons.stages.probe import write_probe
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    config, inputs = snakemake.config, arguments(snakemake.input)
    write_probe(
        arguments(snakemake.output),
        inputs,
        manifests=inputs.pop("manifests"),
        **arguments(snakemake.params),
        place=Workplace(
            config["cache"],
            snakemake.threads,
            config["probe"].get("placement"),
            Kept(config["results"], forced=config["jobs"].get("forced", False)),
        ),
    )
