"""Unpack `snakemake` and call the stage."""

import os

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.reporting import reported
from rare_neurons.stages.text import write_text

with reported(snakemake.log[0]):
    write_text(snakemake.output[0], folder=os.getcwd(), **arguments(snakemake.params))
