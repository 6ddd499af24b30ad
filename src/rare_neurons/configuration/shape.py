"""The shape of a configuration against a closed JSON Schema, as sentences."""

import math
from collections.abc import Mapping

import jsonschema


def _is_whole(_: object, value: object) -> bool:
    """Whether a value is an integer by type: 8.0 would reach torch and NumPy as a float."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(_: object, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_whole, "number": _is_finite}
    ),
)


def shape_problems(config: Mapping[str, object], schema: Mapping[str, object]) -> list[str]:
    """Return a sentence for every key that is unknown, missing or has a wrong value, by place."""
    errors = _Validator(schema).iter_errors(config)
    return [_sentence(error) for error in sorted(errors, key=lambda e: list(map(str, e.absolute_path)))]


def _sentence(error: jsonschema.ValidationError) -> str:
    while error.validator == "oneOf" and error.context:
        error = _closest(error)
    place = ".".join(map(str, error.absolute_path)) or "top level"
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))
        return f"{place}: unknown key {', '.join(map(repr, unknown))}; known: {', '.join(known)}"
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return f"{place}: key {', '.join(map(repr, missing))} is missing"
    return f"{place}: {error.instance!r} is not allowed; {_allowed(error)}"


def _closest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Pick the alternative whose `source` (or other constant) matches, then the one of the value's type."""
    by_branch: dict[int, list[jsonschema.ValidationError]] = {}
    for inner in error.context:
        by_branch.setdefault(inner.schema_path[0], []).append(inner)
    branches = sorted(by_branch.values(), key=_distance)
    if all(any(e.validator == "const" for e in es) for es in branches):
        constants = [e.validator_value for es in branches for e in es if e.validator == "const"]
        wrong = next(e for es in branches for e in es if e.validator == "const")
        wrong.validator, wrong.validator_value = "enum", constants
        return wrong
    return branches[0][0]


def _distance(errors: list[jsonschema.ValidationError]) -> tuple[bool, bool, int]:
    """How far a value is from an alternative: another constant, another type, number of errors."""
    other_source = any(error.validator == "const" for error in errors)
    other_type = any(not error.path and error.validator in ("type", "enum") for error in errors)
    return other_source, other_type, len(errors)


def _allowed(error: jsonschema.ValidationError) -> str:
    value = error.validator_value
    words = {
        "enum": f"allowed: {', '.join(map(repr, value)) if isinstance(value, list) else value}",
        "const": f"allowed: {value!r}",
        "type": "a finite number is needed" if value == "number" else f"a value of type {value} is needed",
        "minimum": f"the smallest allowed value is {value}",
        "maximum": f"the largest allowed value is {value}",
        "exclusiveMinimum": f"it must be above {value}",
        "exclusiveMaximum": f"it must be below {value}",
        "minItems": f"at least {value} items are needed",
        "maxItems": f"at most {value} items are allowed",
        "minLength": f"at least {value} characters are needed",
        "minProperties": f"at least {value} entries are needed",
        "uniqueItems": "every item may stand there once",
        "pattern": f"it must match {value}",
    }
    text = words.get(str(error.validator), error.message)
    about = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    return f"{text} ({about})" if about else text
