"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.integrity import write_integrity
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    found = arguments(snakemake.input, snakemake.params)
    # Those of the first panel.
    found["behaviours"] = found["behaviours"][: len(found["manifests"])]
    write_integrity(snakemake.output[0], **found)
