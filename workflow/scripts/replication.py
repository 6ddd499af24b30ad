"""Unpack `snakemake` and call the stage."""

from rare_neurons.replication.inputs import Tree
from rare_neurons.stages.arguments import arguments
from rare_neurons.stages.replication import write_replication
from rare_neurons.stages.reporting import reported

with reported(snakemake.log[0]):
    write_replication(**arguments(snakemake.output), tree=Tree(**arguments(snakemake.params)))
