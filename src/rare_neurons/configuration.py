"""Checks of a configuration before any job: its shape against a closed schema, and its names against each other."""

from collections.abc import Iterable, Mapping

import jsonschema

from rare_neurons.errors import RequestError


def check_config(config: Mapping[str, object], schema: Mapping[str, object]) -> None:
    """Refuse a wrong configuration, naming the key, its value and what is allowed.

    Parameters
    ----------
    config : mapping
    schema : mapping
        A closed JSON Schema.

    Raises
    ------
    RequestError
        With one line per problem.
    """
    validator = jsonschema.Draft202012Validator(schema)
    problems = [
        _sentence(e) for e in sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    ]
    if not problems:
        problems = list(_dangling_names(config))
    if problems:
        raise RequestError("the configuration is wrong:\n" + "\n".join(f"  - {p}" for p in problems))


def _sentence(error: jsonschema.ValidationError) -> str:
    if error.validator in ("oneOf", "anyOf") and error.context:
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
    """Pick the alternative whose `source` (or other constant) matches."""
    by_branch: dict[int, list[jsonschema.ValidationError]] = {}
    for inner in error.context:
        by_branch.setdefault(inner.schema_path[0], []).append(inner)
    branches = sorted(by_branch.values(), key=lambda es: (any(e.validator == "const" for e in es), len(es)))
    if all(any(e.validator == "const" for e in es) for es in branches):
        constants = [e.validator_value for es in branches for e in es if e.validator == "const"]
        wrong = next(e for es in branches for e in es if e.validator == "const")
        wrong.validator, wrong.validator_value = "enum", constants
        return wrong
    return branches[0][0]


def _allowed(error: jsonschema.ValidationError) -> str:
    value = error.validator_value
    words = {
        "enum": f"allowed: {', '.join(map(repr, value)) if isinstance(value, list) else value}",
        "const": f"allowed: {value!r}",
        "type": f"a value of type {value} is needed",
        "minimum": f"the smallest allowed value is {value}",
        "maximum": f"the largest allowed value is {value}",
        "exclusiveMinimum": f"it must be above {value}",
        "exclusiveMaximum": f"it must be below {value}",
        "minItems": f"at least {value} items are needed",
        "minProperties": f"at least {value} entries are needed",
        "pattern": f"it must match {value}",
    }
    text = words.get(str(error.validator), error.message)
    about = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    return f"{text} ({about})" if about else text


def _dangling_names(config: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Iterable[str]:
    references = {
        "tokenizers": {"corpus": "corpora"},
        "panels": {"corpus": "corpora", "tokenizer": "tokenizers"},
        "models": {"corpus": "corpora", "tokenizer": "tokenizers", "recipe": "recipes", "control_of": None},
    }
    groups = {m.get("group") for m in config["models"].values()}
    for section, keys in references.items():
        for name, entry in config[section].items():
            for key, target in keys.items():
                if key not in entry:
                    continue
                known = groups - {None} if target is None else set(config.get(target, {}))
                if entry[key] not in known:
                    where = "groups of models" if target is None else target
                    listed = ", ".join(sorted(known)) or "none"
                    yield f"{section}.{name}.{key}: {entry[key]!r} is not among the {where}: {listed}"
    for name, entry in config["models"].items():
        if not any(p["tokenizer"] == entry["tokenizer"] for p in config["panels"].values()):
            yield f"models.{name}: no panel uses its tokenizer {entry['tokenizer']!r}; add one under panels"
