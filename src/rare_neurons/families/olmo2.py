"""OLMo-2: Llama's names, but each sublayer's output is normalised before it joins the residual stream."""

from rare_neurons.families.llama import llama_like

OLMO2 = llama_like("olmo2", post_norm="post_feedforward_layernorm")
