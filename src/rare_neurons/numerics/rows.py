"""Rows of tables made from results."""

from dataclasses import make_dataclass


def with_columns(row: type, *names: str) -> type:
    """Return the row type with columns of text in front."""
    own = [(name, field.type) for name, field in row.__dataclass_fields__.items()]
    return make_dataclass(f"{row.__name__}Of{''.join(names)}", [*((name, str) for name in names), *own])
