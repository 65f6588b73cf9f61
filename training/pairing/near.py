"""Near duplicates by words: candidates by MinHash, each verified by the real overlap of its shingles.

    for one, other in near(texts, size=5, least=0.8): ...     # places of texts that share 80 % of their shingles
    groups(len(texts), near(texts, size=3, least=0.7))        # the group of each text

A shingle is a run of `size` words after Persian normalisation; two texts are near when the Jaccard index of their
shingle sets is at least `least`. Candidates come from datasketch's locality-sensitive hashing, whose threshold lies
below `least` so that few true ones are missed.

Not covered: paraphrase, translation; candidates that the hashing misses (about one in a hundred at `least`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from datasketch import MinHash, MinHashLSH

from gaokerena.persian import normalize_for_key

PERMUTATIONS = 64
_SLACK = 0.2
"""How far the threshold of the hashing lies below that of the real overlap."""


def shingles(text: str, size: int) -> frozenset[bytes]:
    """The runs of `size` words of a text, hashed; a shorter text is one run, an empty one none."""
    words = normalize_for_key(text).split()
    runs = [" ".join(words[start : start + size]) for start in range(max(1, len(words) - size + 1))] if words else []
    return frozenset(hashlib.blake2b(run.encode(), digest_size=8).digest() for run in runs)


def jaccard(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    """The share of their shingles that both have; of two empty sets 1."""
    return len(one & other) / len(one | other) if one or other else 1.0


def near(texts: Sequence[str], *, size: int, least: float) -> Iterator[tuple[int, int]]:
    """Places (earlier, later) of near duplicates among `texts`, in order of the later one."""
    return near_sets((shingles(text, size) for text in texts), least=least)


def near_sets(texts: Iterable[frozenset[bytes]], *, least: float) -> Iterator[tuple[int, int]]:
    """The same of sets of shingles."""
    index = MinHashLSH(threshold=max(0.1, least - _SLACK), num_perm=PERMUTATIONS)
    sets: list[frozenset[bytes]] = []
    for place, found in enumerate(texts):
        sets.append(found)
        sketch = MinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update_batch(sorted(found))
        for earlier in sorted(index.query(sketch)):
            if jaccard(sets[earlier], found) >= least:
                yield earlier, place
        index.insert(place, sketch)


def groups(count: int, linked: Iterable[tuple[int, int]]) -> list[int]:
    """The group of each of `count` places when every linked two are in one: named by its first place."""
    first = list(range(count))

    def find(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    for one, other in linked:
        ends = sorted((find(one), find(other)))
        first[ends[1]] = ends[0]
    return [find(place) for place in range(count)]
