"""Tables of the replication about what it is read from: runs and panels."""

from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import markdown, number


def runs(tree: Tree) -> str:
    """Size and training of every run."""
    header = ["run", "final-layer neurons", "width", "good checkpoints", "last step"]
    size = [f"{tree.n_neurons:,}", f"{tree.d_model:,}"]
    rows = []
    for model in tree.runs:
        steps = tree.steps(model)
        rows.append([tree.label(model), *size, str(len(steps)), f"{steps[-1]:,}"])
    return markdown(header, rows)


def panels(tree: Tree) -> str:
    """Targets of every stratum of every panel, and from how many documents and types they come, effectively."""
    header = ["panel", "stratum", "targets", "effective documents", "effective token types"]
    rows = []
    for panel in tree.panels:
        sizes = tree.sizes(panel).set_index("stratum")
        for stratum in tree.panels[panel]["strata"]:
            row = sizes.loc[stratum]
            effective = [number(v, 0) for v in (row.n_documents_effective, row.n_types_effective)]
            rows.append([panel, stratum, f"{int(row.n_targets):,}", *effective])
    return markdown(header, rows, text=2)
