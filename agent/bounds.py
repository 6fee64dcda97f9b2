"""How wrong something may be that was found right: exact upper bounds of a share, with 95 % confidence."""

from math import exp, lgamma, log, log1p

CONFIDENCE = 0.95


def at_most(wrong: int, of: int) -> float:
    """The largest share of wrong ones that is believable after `wrong` of `of` were (Clopper-Pearson).

    With none wrong it is close to 3/of: the rule of three.
    """
    if wrong >= of:
        return 1.0
    low, high = wrong / of, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if _so_few(wrong, of, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _so_few(wrong: int, of: int, share: float) -> float:
    """How likely it is to see at most so many wrong ones if this is their share."""
    ways = (lgamma(of + 1) - lgamma(n + 1) - lgamma(of - n + 1) for n in range(wrong + 1))
    return sum(exp(way + n * log(share) + (of - n) * log1p(-share)) for n, way in enumerate(ways))
