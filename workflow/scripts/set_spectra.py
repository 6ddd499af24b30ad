"""Unpack `snakemake` and call the stage. Where weights are cached is no parameter of what is measured."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.set_spectra import write_set_spectra

with reported(snakemake.log[0]):
    write_set_spectra(
        snakemake.output[0], **arguments(snakemake.input, snakemake.params), cache=snakemake.config["cache"]
    )
