"""Models in memory, measured without a workflow: what `rare_neurons.measure_…` and `MeasureCallback` are.

panel        token ids to a panel: strata, targets and the grid that intervals need
model        a transformers model as it is measured, and left as it was
options      how things are measured unless something else is asked for
measurement  what comes back: documented tables, figures, shards on request
influence    the influence of every neuron of the final layer
layers       the influence of every neuron and head of every layer
spectra      the spectrum of every weight matrix
plots        figures of a measurement
callback     the same at chosen steps of a training
saved        what a training saves, measured as the workflow does

A measurement of something else is a function here that returns a `Measurement`, its tables in the catalogue and its
figures in `plots`.
"""
