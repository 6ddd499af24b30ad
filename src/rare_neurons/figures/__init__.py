"""Figures from results tables alone; each function returns a matplotlib figure and leaves matplotlib's state alone.

registry   the list of figures
style      colours, axes of steps, legends
by_stratum columns of a timeline over steps: `loss`, `influence`, `inequality`
rank_curves, alpha, integrity, lineage, emergence, claims, neuron_steps, rare_common
           one figure each
parts      `across`: steps, training tokens or loss as the horizontal axis
findings   what the tables of evidence say of a subject, question by question
"""
