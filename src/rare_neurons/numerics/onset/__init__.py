"""Onsets: when a quantity sets in, by one declared rule, against what noise alone would draw.

rule    the rule as declared, and what it found
series  runs and checkpoints that can be compared
nulls   change and coherence of a series, and how often noise alone has as much
dates   between which checkpoints a change began, peaked and went
detect  the rule applied to one quantity
family  several quantities looked at together
"""
