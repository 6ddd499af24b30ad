"""The influence of every final-layer neuron on a panel, with a certified error.

probe             a model and a panel to a `ProbeResult`: one forward pass, then an engine
inputs            what an engine is given: `PassInputs`, and how it works: `EngineSettings`
plan              blocks of positions and slabs of neurons from a memory budget
panel_pass        the engine over all targets of a panel
vocabulary_pass   logits and sums over the vocabulary for a block of positions
tokens            what is known of such a block: `TokenBlock`, `Unigram`
class_sums        the sums, class by class
scratch           sizes of blocks, and memory used again
exact             every (position, neuron) pair in float64
certified         the same enclosed from moments, with only the widest pairs exact
budget            how much error may remain, and which pairs are exact to keep within it
directions        what follows from the weights alone: output directions on the vocabulary
moments           moment products over the vocabulary and their rounding
enclosure         the inequalities: from moments to an interval
rounding          how far their rounding can lead
pairs             single pairs exactly in float32
placebo           output directions that meet other neurons' activations
second_order      the same for small changes, with fewer passes
within            their effects within the target's stratum
"""
