"""Two kinds of fault that a run tells apart (a third, a fault of the machine, is whatever else is raised)."""

from pathlib import Path


class RequestError(ValueError):
    """What was asked for cannot be: a wrong key, a missing local step, a panel larger than its corpus."""


class DataFault(RuntimeError):
    """A checkpoint's bytes are not what they should be; it becomes a status and a reason, and the others go on."""


class DamagedTable(RuntimeError):
    """A table that this package wrote has lost its end since."""

    def __init__(self, path: Path | str, size: int) -> None:
        super().__init__(f"{path} is damaged: it has {size} bytes and no end of a Parquet file")
        self.path = Path(path)
