"""How neurons of a language model specialise on rare tokens while it trains."""
