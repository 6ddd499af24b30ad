"""The configuration that a run with the given files has, for what reads it outside a run."""

from pathlib import Path

import yaml

from rare_neurons.configuration import SECTIONS, check_config, complete_config, dated_columns

ROOT = Path(__file__).parents[1]


def read_yaml(path: str | Path) -> dict:
    """Read one file, by its path in the repository or in full."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


SCHEMA = read_yaml("workflow/schemas/config.schema.yaml")


def read_config(*files: str | Path) -> dict:
    """Return the complete and checked configuration of files on top of config/analysis.yaml."""
    config = complete_config(SCHEMA, *map(read_yaml, ("config/analysis.yaml", *files)))
    check_config(config, SCHEMA, sections=SECTIONS, legal=dated_columns())
    return config
