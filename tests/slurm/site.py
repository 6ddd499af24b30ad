"""The shipped profile with what a site changes in it, for a cluster of a few small nodes without accounting."""

from tests.slurm.cluster import Cluster
from tests.workflow.project import Project

PROFILE = "profiles/slurm/config.yaml"
WITH_PROFILE = ("--workflow-profile", "profiles/slurm")


def join_cluster(project: Project, cluster: Cluster) -> None:
    """Make the project's runs with `WITH_PROFILE` submit to the cluster."""
    project.variables = cluster.environment
    project.rewrite(PROFILE, "# slurm-status-command", "slurm-status-command")
    project.rewrite(PROFILE, "# slurm_partition", "slurm_partition")
    project.rewrite(PROFILE, "# gres", "gres")
    # A first look after five seconds, and jobs of which two fit on a node.
    project.rewrite(PROFILE, "status-checks: 20", "status-checks: 5")
    for megabytes in ("2000", "8000", "4000"):
        project.rewrite(PROFILE, f"attempt * {megabytes}", "attempt * 1500")
