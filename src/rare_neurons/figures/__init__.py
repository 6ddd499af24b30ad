"""Figures from results tables alone; each function returns a matplotlib figure and leaves matplotlib's state alone.

registry   the list of figures
style      colours, line styles, marks, and axes that fit a page
by_stratum columns of a timeline over steps: `loss`, `influence`, `inequality`
rank_curves, alpha, integrity, lineage, emergence, claims, neuron_steps, rare_common, layers, layer_neurons, allocation,
kinds, organisation
           one figure each
parts      `across`: steps, training tokens or loss as the horizontal axis; `ticks`: numbers of axes; `legends`;
           `bands`: intervals; `sides`: runs above, controls below; `good`: checkpoints that are not quarantined
findings   what the tables of evidence say of a subject, question by question
"""
