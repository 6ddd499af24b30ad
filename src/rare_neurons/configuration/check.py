"""Check of a configuration before any job: shape, sections, names against each other, columns, what is reachable."""

from collections.abc import Collection, Mapping

from rare_neurons.configuration.contradictions import contradictions, dangling_names
from rare_neurons.configuration.folders import bad_folders
from rare_neurons.configuration.needed import illegal_questions, missing_sections
from rare_neurons.configuration.resolution import unreachable
from rare_neurons.configuration.shape import shape_problems
from rare_neurons.errors import RequestError


def check_config(
    config: Mapping[str, object],
    schema: Mapping[str, object],
    *,
    sections: Mapping[str, Collection[str]],
    legal: Mapping[str, Collection[str]],
) -> None:
    """Refuse a wrong configuration, naming the key, its value and what is allowed.

    Parameters
    ----------
    config : mapping
        Complete, as `complete_config` returns it.
    schema : mapping
        A closed JSON Schema.
    sections : mapping
        Sections that must be there, each with the rules that read it.
    legal : mapping
        Columns that may be dated, by table.

    Raises
    ------
    RequestError
        With one line per problem.
    """
    problems = missing_sections(config, sections) + shape_problems(config, schema)
    problems = (
        problems
        or [
            *bad_folders(config),
            *dangling_names(config),
            *illegal_questions(config["evidence"]["questions"], legal),
        ]
        or [*contradictions(config), *unreachable(config)]
    )
    if problems:
        raise RequestError("the configuration is wrong:\n" + "\n".join(f"  - {p}" for p in problems))
