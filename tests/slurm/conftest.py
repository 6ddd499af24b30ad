"""The cluster, and the finished local run that its tables are compared with."""

from tests.slurm.fixtures import cluster, running
from tests.workflow.conftest import finished

__all__ = ["cluster", "finished", "running"]
