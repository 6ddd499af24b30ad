"""Unpack `snakemake` and call the stage."""

from rare_neurons.replication.inputs import Tree
from rare_neurons.stages.replication import write_replication
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    about = {name: value for name, value in snakemake.params.items() if name != "version"}
    write_replication(**dict(snakemake.output.items()), tree=Tree(**about))
