"""Figures from results tables alone; each function returns a matplotlib figure and leaves matplotlib's state alone.

registry   the list of figures
style      colours, axes of steps, legends
by_stratum columns of a timeline over steps: `loss`, `influence`, `inequality`
rank_curves, alpha, integrity, lineage, emergence
           one figure each
findings   what the tables of evidence say of a subject, question by question
"""
