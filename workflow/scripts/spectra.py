"""Unpack `snakemake` and call the stage. Where weights and finished tables lie is no parameter of what is measured."""

from rare_neurons.stages.arguments import arguments, in_lists
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.spectra import write_spectra

with reported(snakemake.log[0]):
    inputs = arguments(in_lists(snakemake.input, "manifests"), snakemake.params)
    write_spectra(
        in_lists(snakemake.output),
        place=Workplace.of(snakemake.config, folders=inputs.pop("folders", ())),
        **inputs,
    )
