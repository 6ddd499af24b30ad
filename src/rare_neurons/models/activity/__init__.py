"""What the neurons of all layers do on text, and what sets of them do together: one more forward pass.

reading          where activations are read: contexts, targets and rows of the part that did not choose the sets
taps             what passes through every layer, handed on layer by layer
counting         where neurons are active, counted while the pass runs
activity_pass    the pass: counts of all layers, final-layer activations at some rows
set_effects      a set of final-layer neurons ablated together, of whatever size and to whatever values
heads            what heads do to final-layer neurons, when they look at the first position alone
readout_effects  what final-layer neurons do along the log unigram and to the entropy
options          what is asked, and what the probe of the same checkpoint has found
scene            one checkpoint on one panel: the pass, the weights and the readout
set_rows         rows about sets: organisation, joint ablation, overlap, examples
head_rows        rows about routing
measure          all of it
"""
