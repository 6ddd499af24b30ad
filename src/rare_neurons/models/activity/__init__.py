"""What the neurons of all layers do on text, and what sets of them do together: one more forward pass.

set_effects    a set of final-layer neurons ablated together, of whatever size and to whatever values
"""
