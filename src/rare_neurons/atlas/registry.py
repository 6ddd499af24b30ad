"""The views of the page, in its order. Light to import: the workflow reads which tables they need."""

from rare_neurons.atlas.view import View

_EVIDENCE = ("timelines/evidence", "timelines/onsets", "timelines/turns")

VIEWS = (
    View(
        "verdict",
        section="What is found",
        title="In one sentence",
        caption="The primary questions in the words of the summary, and the verdict on every checkpoint.",
        tables=("integrity", *_EVIDENCE),
    ),
    View(
        "claims",
        section="What is found",
        title="Every question, and how far its answer goes",
        caption=(
            "Change since the first checkpoint with its interval: each run, each control, over seeds, and beyond "
            "controls; filled where it holds. Dashed: no change. ● reached, ○ not reached, – not judged, with the p "
            "that decides and the reason."
        ),
        tables=_EVIDENCE,
    ),
    View(
        "timelines",
        section="When it happens",
        title="Curves with bands and dates",
        caption=(
            "Bands: intervals over documents and token types. Thick: a rise or fall beyond noise. Bars below: where "
            "half of the change is reached, in each run and (broad, shaded) over seeds. Dotted: quarantined "
            "checkpoints. Upright line: the chosen step, which a click on a curve moves."
        ),
        tables=("timelines/courses", *_EVIDENCE, "integrity"),
    ),
    View(
        "neurons",
        section="Which neurons",
        title="Neurons at the chosen step, and one over all steps",
        caption=(
            "Influence: rise of the loss when one neuron is mean-ablated; above zero it helps. A click chooses a "
            "neuron, here and in the other views."
        ),
        tables=("influence", "timelines/behaviour"),
    ),
    View(
        "portrait",
        section="Which neurons",
        title="The chosen neuron in words",
        caption="Its rank over training, whether it is of the top set and since when, its kind, and examples.",
        tables=("influence", "timelines/members", "timelines/lineage", "kinds", "examples"),
    ),
    View(
        "layers",
        section="Where in the model",
        title="Every layer at every measured step",
        caption=(
            "Root mean square influence of a neuron of the layer, in the chosen model. Grey, with a dash: within its "
            "noise. A click moves the step."
        ),
        tables=("timelines/layer_audit",),
    ),
    View(
        "matrices",
        section="Where in the model",
        title="Power-law exponents of the weight matrices",
        caption=(
            "Alpha of the eigenvalues' tail, of every matrix of the chosen model at the chosen step; a small one is a "
            "heavy tail. A click on a matrix shows its course and its eigenvalues."
        ),
        tables=("timelines/spectra", "timelines/alpha", "eigenvalues"),
    ),
    View(
        "account",
        section="Where in the model",
        title="Which weights changed the loss",
        caption=(
            "The change of the loss of the chosen model and tokens between measured checkpoints, split among its "
            "weights along the straight line between them."
        ),
        tables=("timelines/allocation", "timelines/allocation_changes"),
    ),
)
