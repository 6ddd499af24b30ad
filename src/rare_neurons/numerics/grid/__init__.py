"""The grid of document folds by token-type bins, and statistics that know both dimensions.

=====================  ==========================================================================================
`folds`                which fold a document, which bin a token type belongs to
`panel_size`           are there enough documents and types: effective numbers, refusal, warning
`cells`                sums and counts per cell of the grid
`cell_sums`            what the cells of one stratum add up to, neuron by neuron
`leave_outs`           a statistic with its leave-one-out values by row, column and cell
`moments`              mean and noise-free mean square over neurons
`fourth_moment`        noise-free mean fourth power over neurons
`jackknife`            two-way variance and interval of any of them
`effective_number`     over how many neurons an effect is spread
`pigeonhole`           resamples of rows and columns of the grid
`quadrants`            halves and thirds of the grid that share neither documents nor types
=====================  ==========================================================================================
"""
