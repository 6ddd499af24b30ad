"""Which revisions of a Hub model are checkpoints, by the Hub's own list."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of
from rare_neurons.families.bounds import expected_shapes

# A number of steps, as names have it: step1000, global_step1000, step-1000, checkpoint-1000, main-step1000-tokens4B.
_STEP = re.compile(r"(?:step|checkpoint)[-_]?(0|[1-9][0-9]{0,17})(?![0-9])")


@dataclass(frozen=True)
class HubModel:
    """What a Hub repository offers: its revisions' pattern, their steps and its `config.json`."""

    revision: str
    steps: tuple[int, ...]
    config: Mapping[str, object]

    @property
    def n_neurons(self) -> int:
        """Neurons of an MLP."""
        return expected_shapes(family_of(self.config), self.config)["W_in"][0]


def hub_checkpoints(repo: str) -> HubModel:
    """Ask the Hub for a model's checkpoints.

    Raises
    ------
    RequestError
        If it cannot be asked, there is no such model, or its revisions name no steps.
    """
    try:
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
    except ImportError:
        raise RequestError("a Hub model needs huggingface_hub: install this package with its extra `run`") from None
    try:
        references = HfApi().list_repo_refs(repo)
        names = [one.name for one in (*references.branches, *references.tags)]
        revision, steps = steps_in(names, repo)
        path = hf_hub_download(repo, "config.json", revision=revision.replace("{step}", str(steps[-1])))
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise RequestError(
            f"the Hub tells nothing of {repo}: {said}; no folder of that name is here either: correct the name, or see "
            "to the network"
        ) from None
    config = json.loads(Path(path).read_text(encoding="utf-8"))
    return HubModel(revision, steps, config)


def steps_in(names: list[str], repo: str) -> tuple[str, tuple[int, ...]]:
    """Return the pattern that most revisions fit, and their steps.

    Raises
    ------
    RequestError
        If no revision names a step.
    """
    found: dict[str, set[int]] = {}
    for name in names:
        match = _STEP.search(name)
        if match:
            # What follows the step, such as the tokens seen, is another text for each.
            after = "*" if match.end() < len(name) else ""
            found.setdefault(f"{name[: match.start(1)]}{{step}}{after}", set()).add(int(match[1]))
    if not found:
        shown = ", ".join(names[:5]) or "none"
        raise RequestError(f"no revision of {repo} names a step ({len(names)} revisions: {shown}); it has one state")
    best = max(found, key=lambda pattern: len(found[pattern]))
    return best, tuple(sorted(found[best]))
