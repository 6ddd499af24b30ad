"""Unpack `snakemake` and call the stage."""

import os

from rare_neurons.stages.reporting import reported
from rare_neurons.stages.tokenizer import write_tokenizer

with reported(snakemake.log[0]):
    source = dict(snakemake.params.source)
    text = snakemake.input[0] if snakemake.input else None
    write_tokenizer(
        snakemake.output[0], source=source, end_of_text=source["end_of_text"], folder=os.getcwd(), text=text
    )
