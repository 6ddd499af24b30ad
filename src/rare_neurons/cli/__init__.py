"""The command line ``rare-neurons``.

=========  =============================================================================
`init`     writes a configuration: for a folder of checkpoints, a Hub model, or a tour
`plan`     what a run would fetch, measure, cost and be able to say, before it starts
`run`      Snakemake with the house's workflow and profile, and a display of its progress
`atlas`    all results on one page, to be explored
`report`   Snakemake's report of a finished run
`compact`  one file of each table and model, for readers
`check`    a results folder beside its configuration
=========  =============================================================================
"""

from rare_neurons.cli.commands import app


def main() -> None:
    """Run the command line."""
    app()


__all__ = ["app", "main"]
