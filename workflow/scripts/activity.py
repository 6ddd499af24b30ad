"""Unpack `snakemake` and call the stage. Where weights and finished tables lie is no parameter of what is measured."""

from rare_neurons.stages.activity import write_activity
from rare_neurons.stages.arguments import arguments, in_lists
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    inputs = in_lists(snakemake.input, "manifests", "influence", "activations", "gradients")
    place = Workplace.of(snakemake.config, snakemake.threads, folders=inputs.pop("folders", ()))
    write_activity(
        in_lists(snakemake.output),
        inputs,
        manifests=inputs.pop("manifests"),
        **arguments(snakemake.params),
        place=place,
    )
