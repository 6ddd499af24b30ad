"""The cluster that the tests of this folder share."""

from tests.slurm.fixtures import cluster, running

__all__ = ["cluster", "running"]
