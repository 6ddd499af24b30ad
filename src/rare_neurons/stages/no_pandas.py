"""Arrow without pandas, where a process has no need of it: its import takes as long as many a job's own work."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec


class _Absent:
    """Finder that knows one module alone, and says that it is not there."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not looked for here", name=name)
        return None


def arrow_without_pandas() -> None:
    """Let Arrow take pandas for not installed until a table is converted to it.

    Does nothing where pandas is in use, or Arrow is not.

    Making any array, Arrow asks once whether pandas is there, and imports it to see; what needs pandas (`to_pandas`)
    asks again. For processes of our own alone: in between, Arrow reads a data frame's columns as plain sequences.
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is None or "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _Absent)
    try:
        arrow.array([])  # of a type that is inferred: more than one of its parts asks
    finally:
        sys.meta_path.remove(_Absent)
