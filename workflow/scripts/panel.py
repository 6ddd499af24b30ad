"""Unpack `snakemake` and call the stage."""

from rare_neurons.stages.panel import write_panel
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_panel(
        **dict(snakemake.output.items()),
        **dict(snakemake.input.items()),
        panel=snakemake.params.panel,
        settings=snakemake.params.settings,
        version=snakemake.params.version,
    )
