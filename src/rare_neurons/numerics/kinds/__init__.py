"""Kinds of neurons, all layers: dead, detectors of n-grams, suppressors, positional; entropy and token frequency.

ngrams      the text as n-grams, and how often each occurs
counts      what an activity pass has counted of a layer
detectors   neurons that are active on a few n-grams, nearly always, and on little else
triggers    whether a detector promotes or suppresses what it detects
positional  neurons that are active at some positions rather than others
examples    the targets on which a neuron acts most, with the text around them
readout_weights
            what the weights say of entropy neurons
rows        rows of the tables about single neurons
census      the kind of every neuron of a layer
summary     counts of kinds by layer
"""
