"""Arrow schemas from result dataclasses."""

from collections.abc import Sequence
from dataclasses import fields
from types import NoneType
from typing import get_args, get_type_hints

import pyarrow as pa

_ARROW = {float: pa.float64(), int: pa.int64(), str: pa.string(), bool: pa.bool_()}


def schema_of(result: type, before: Sequence[tuple[str, pa.DataType]] = ()) -> pa.Schema:
    """Derive an Arrow schema from a frozen result dataclass whose fields are scalars (or None)."""
    hints = get_type_hints(result)
    columns = [pa.field(name, kind, nullable=False) for name, kind in before]
    for field in fields(result):
        kinds = get_args(hints[field.name]) or (hints[field.name],)
        plain = [k for k in kinds if k is not NoneType]
        if len(plain) != 1 or plain[0] not in _ARROW:
            raise TypeError(
                f"{result.__name__}.{field.name}: {hints[field.name]} has no Arrow type; use one of {list(_ARROW)}"
            )
        columns.append(pa.field(field.name, _ARROW[plain[0]]))
    return pa.schema(columns)
