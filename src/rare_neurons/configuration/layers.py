"""One configuration from several: how things are measured, what is measured on top, and the schema's defaults."""

import copy
from collections.abc import Mapping
from functools import reduce

from rare_neurons.configuration.schema import branch_of, followed

Json = Mapping[str, object]


def complete_config(schema: Json, *layers: Json) -> dict[str, object]:
    """Put layers together, remove what is ``null`` and fill in the schema's defaults.

    Keys come in the schema's order, whatever their order in the files: parameters of rules are compared by their text,
    and the same values must not run a rule again.

    Parameters
    ----------
    schema : mapping
        JSON Schema with ``default`` where a key may be left out.
    *layers : mapping
        From the lowest to the uppermost; none of them is changed.

    Returns
    -------
    dict
        Unchecked; see `check_config`.

    Examples
    --------
    >>> schema = {"properties": {"seed": {"type": "integer", "default": 0}, "share": {"type": "number"}}}
    >>> complete_config(schema, {"share": 0.1}, {"share": 0.2})
    {'seed': 0, 'share': 0.2}
    """
    return _filled(_without_nulls(reduce(layered, layers, {})), schema, schema)


def layered(lower: Json, upper: Json) -> dict[str, object]:
    """Lay one mapping over another: mappings are merged, every other value (lists too) replaces the lower one."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = (
            layered(below if isinstance(below, Mapping) else {}, value) if isinstance(value, Mapping) else value
        )
    return merged


def _without_nulls(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}


def _filled(value: object, schema: Json, root: Json) -> object:
    """Fill in defaults, in the alternative whose constants (`source`) the value has."""
    schema = followed(schema, root)
    if "oneOf" in schema:
        branch = branch_of(value, schema["oneOf"], root)
        return value if branch is None else _filled(value, branch, root)
    if not isinstance(value, Mapping):
        return value
    known, more = schema.get("properties", {}), schema.get("additionalProperties")
    result = {}
    for key, inner in known.items():
        default = followed(inner, root).get("default")
        if key in value or default is not None:
            result[key] = _filled(value.get(key, copy.deepcopy(default)), inner, root)
    for key in (name for name in value if name not in known):
        result[key] = _filled(value[key], more, root) if isinstance(more, Mapping) else value[key]
    return result
