"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.prefetch import fetch_weights
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    fetch_weights(list(snakemake.input), cache=snakemake.config["cache"])
