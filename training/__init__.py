"""Everything that makes V and R: documents, tokenizer, base, SFT, pairs, DPO, and the mini pair made of them."""
