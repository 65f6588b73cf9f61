"""Table 1 of Dawid and Skene (1979): how five anaesthetists classed 45 patients (1-4), the first of them three times.

A row is a patient: three figures of the first anaesthetist, one of each of the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TABLE = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""


def counts() -> NDArray[np.float64]:
    """[45 patients, 5 anaesthetists, 4 classes]."""
    made = np.zeros((45, 5, 4))
    for patient, row in enumerate(TABLE.split()):
        for place, said in enumerate(row):
            made[patient, max(0, place - 2), int(said) - 1] += 1
    return made
