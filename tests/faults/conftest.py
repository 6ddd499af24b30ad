"""One cluster for the whole fault suite."""

from tests.slurm.fixtures import cluster, running

__all__ = ["cluster", "running"]
