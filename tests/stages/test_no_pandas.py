"""Arrow asks for pandas only where it converts to it."""

import subprocess
import sys

CODE = """
import sys
import pyarrow as pa
from rare_neurons.stages.no_pandas import arrow_without_pandas
{call}
table = pa.table({{"a": pa.array([1, None]), "b": pa.array(["x", "y"]).dictionary_encode()}})
print("pandas" in sys.modules)
frame = table.to_pandas()
print(type(frame).__module__.split(".")[0], frame.a.isna().tolist(), frame.b.tolist())
import pandas as pd
print(pa.array(pd.Series(["x", None])).to_pylist(), [one for one in sys.meta_path if "Absent" in repr(one)])
"""


def lines_of(call: str) -> list[str]:
    """What a fresh interpreter prints."""
    run = subprocess.run([sys.executable, "-c", CODE.format(call=call)], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def test_only_a_conversion_imports_pandas() -> None:
    """Without the call Arrow imports it for an array; what follows a conversion is the same with and without."""
    there, *after = lines_of("")
    spared, *same = lines_of("arrow_without_pandas()")
    assert (there, spared) == ("True", "False")
    assert same == after == ["pandas [False, True] ['x', 'y']", "['x', None] []"]


def test_pandas_in_use_stays_known_to_arrow() -> None:
    """A process that has it already is left alone."""
    assert lines_of("import pandas; arrow_without_pandas()") == lines_of("import pandas")
