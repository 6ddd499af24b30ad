"""Where the workflow's own files are: in the checkout, or in the installed package, which carries a copy of them."""

from pathlib import Path

from rare_neurons.errors import RequestError

_PACKED, _CHECKOUT = Path(__file__).parent / "_house", Path(__file__).parents[2]
SNAKEFILE, LOWEST, SCHEMA = "Snakefile", "config/analysis.yaml", "workflow/schemas/config.schema.yaml"


def house() -> Path:
    """Return the folder of Snakefile, workflow, profiles and config.

    Raises
    ------
    RequestError
        If this package was copied without them.
    """
    for folder in (_PACKED, _CHECKOUT):
        if (folder / SNAKEFILE).is_file() and (folder / SCHEMA).is_file():
            return folder
    raise RequestError(f"no {SNAKEFILE} in {_PACKED} or {_CHECKOUT}; install the package's wheel, or use a checkout")


def file_of_house(name: str) -> Path:
    """Return one file of the house, by its path in the repository.

    Raises
    ------
    RequestError
        If there is no such file.
    """
    path = house() / name
    if not path.is_file():
        raise RequestError(f"no {name} in {house()}; install the package again")
    return path
