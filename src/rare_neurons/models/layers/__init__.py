"""Effects of every layer's neurons, heads and sublayers on the loss.

losses    per target whole and within-stratum loss, from the final residual stream, with gradients
blocks    what a pass leaves in each block, and the pass from any block on
taps      gradients of losses with respect to the neurons of all layers, also of a perturbed pass
slopes    slopes of activation functions, once for all losses of a pass
upstream  gradients of targets' losses with respect to what the unembedding reads
draws     contexts, targets, signs and labels that are drawn, the same whatever the batches
batch     first order, second order by signs and Gauss-Newton in one batch of contexts
batches   how many contexts at a time
estimate  their sums over a sample of the panel
audit     exact ablation of chosen neurons on the same contexts
results   columns of the tables
measure   all of it: `measure_layers`
heads     exact ablation of every attention head and whole sublayer: `measure_heads`
"""
