"""Tasks for EleutherAI's lm-eval; README.md says how to run them."""
