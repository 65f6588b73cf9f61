"""pass@k: the chance that at least one of k answers drawn from a question's n is right, and what guessing alone gives.

    pass_at_k(np.array([5, 0, 2]), np.array([5, 5, 5]), 3)      # 0.6333

1 - C(n - c, k) / C(n, k) for c right among n answers (Chen et al., arXiv 2107.03374, section 2.1), averaged over
questions. Guessing one of four letters k times independently is right at least once with 1 - (3/4)^k; the corrected
figure is the share of what guessing leaves, (pass - chance) / (1 - chance), 0 for a guesser and negative below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OPTIONS = 4


def pass_each(correct: NDArray[np.integer], asked: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """pass@k of each question: `correct` and `asked` [questions]. Raises ValueError where fewer than k were asked."""
    if k < 1 or (len(asked) and int(asked.min()) < k):
        raise ValueError(f"pass@{k} needs k from 1 to the answers of a question, of which the fewest are {asked.min()}")
    missed = np.ones(len(asked))
    for drawn in range(k):  # C(n-c, k) / C(n, k) as a product of k ratios, without large numbers
        missed *= np.maximum(asked - correct - drawn, 0) / (asked - drawn)
    return 1.0 - missed


def pass_at_k(correct: NDArray[np.integer], asked: NDArray[np.integer], k: int) -> float:
    """The mean of `pass_each`, 0 to 1."""
    return float(pass_each(correct, asked, k).mean())


def guessed(k: int) -> float:
    """pass@k of a model that guesses each time anew among four options."""
    return 1.0 - (1.0 - 1.0 / OPTIONS) ** k


def corrected(value: float, k: int) -> float:
    """`value` (0 to 1) with guessing taken out: 0 where guessing gives as much, 1 where nothing is missed."""
    return (value - guessed(k)) / (1.0 - guessed(k))
