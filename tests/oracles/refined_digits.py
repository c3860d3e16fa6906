"""Linear SVMs in hundreds of bits, for hundreds of clips: whole numbers, and proof of the optimum.

Features are doubles, and so whole numbers in a small enough unit: their Gram matrix is summed in
exact integers (cut into pieces whose products doubles hold: Ozaki et al., Numer. Algorithms 59,
2012, doi:10.1007/s11075-011-9478-1). Beta is a whole number in units of 2^-256. It is solved for
by doubles, or pairs of doubles, and refined until its exact residual is below 1e-45.

How a beta was found does not matter: the optimality conditions are taken anew from it, exactly.
What they lack, rho, bounds how far decisions are from those of the optimum, which is a strongly
convex problem's: |error of f_v| <= |rho| sqrt(2 C G_vv), with the largest C.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Whole = NDArray[np.object_]
"""Python's integers, in a unit of 2 to the power of minus some number of bits."""
Pair = tuple[Values, Values]
"""Numbers in two parts, the second below the rounding of the first."""
Solve = Callable[[Values], Pair]

BETA_BITS = 256
LEAST_BITS = 256  # of a Gram matrix with its ridges
TINY = 1e-45  # a residual, of a margin
SLACK = 1e-40  # of a condition, of a margin
PROVEN = 1e-15  # error of a decision, of the largest
NOTHING = 1e-25  # error of a decision where clips cancel out
_MOST_STEPS = 200
_STEP_BITS = 64
_SPLITTER = 2.0**27 + 1


@dataclass(frozen=True)
class Clips:
    """Clips as their exact Gram matrix."""

    gram: Whole  # (n_clips, n_clips), in units of 2^-bits
    bits: int

    @classmethod
    def of(cls, features: Values) -> Self:
        """Take features, (n_clips, n_features)."""
        gram, bits = exact_gram(features)
        more = max(LEAST_BITS - bits, 0)
        return cls(gram << more, bits + more)

    def decisions(self, target: Values, penalties: Values, training: NDArray[np.bool_]) -> Values:
        """Return the decisions of all clips by the machine of the training clips, rounded once.

        Parameters
        ----------
        target, penalties
            +1 or -1, and C, of each clip.
        training
            The clips that are trained on.

        Raises
        ------
        AssertionError
            If the decisions of the others cannot be proven right.
        """
        known = np.flatnonzero(training)
        machine = _Machine(
            self.gram[np.ix_(known, known)],
            np.array([round(2**self.bits / (2 * Fraction(C))) for C in penalties[known]], object),
            np.array([int(sign) for sign in target[known]], object),
            self.bits,
        )
        beta = machine.settle()
        found = _rounded(self.gram[:, known] @ beta, self.bits + BETA_BITS)
        judged = ~training if not training.all() else training
        lengths = np.sqrt(_rounded(self.gram.diagonal(), self.bits)[judged])
        error = machine.lack(beta) * np.sqrt(2 * penalties[known].max()) * lengths
        allowed = max(PROVEN * np.abs(found[judged]).max(), NOTHING)
        assert error.max() <= allowed, f"error of {error.max():.1e} cannot be ruled out"
        return found


@dataclass(frozen=True)
class _Machine:
    """(G + R) beta = y on the support vectors; elsewhere y G beta >= 1."""

    gram: Whole  # (n_training, n_training)
    ridges: Whole  # (n_training,), 1 / (2 C)
    target: Whole  # (n_training,)
    bits: int

    def settle(self) -> Whole:
        """Return beta, by Newton steps with an exact line search, which end for certain.

        Keerthi, DeCoste: A modified finite Newton method, JMLR 6, 2005.
        """
        support, beta = self._guess(), None
        for _ in range(_MOST_STEPS):
            goal = self._refined(support)
            wrong = np.where(support, -self._signed(goal), self._short(goal)) > SLACK
            if not wrong.any():
                return np.where(self.target * goal > 0, goal, 0)
            beta = goal if beta is None else self._step(beta, goal - beta)
            support = self._short(beta) > 0
        msg = "the support vectors do not settle"
        raise AssertionError(msg)

    def _step(self, beta: Whole, change: Whole) -> Whole:
        """Return beta, changed as far as the primal objective falls."""
        short = (1 << (self.bits + BETA_BITS)) - self.target * (self.gram @ beta)
        along = self.gram @ change
        rise, signed = change @ along, self.target * along
        slope = beta @ along

        def slope_at(step: float) -> Any:
            moved = int(step * 2**_STEP_BITS)
            left = np.maximum((short << _STEP_BITS) - moved * signed, 0)
            return ((slope << _STEP_BITS) + moved * rise) - (left * signed // self.ridges).sum()

        with np.errstate(divide="ignore", invalid="ignore"):
            crossings = _rounded(short, BETA_BITS) / _rounded(signed, BETA_BITS)
        steps = [0.0, *np.sort(crossings[(crossings > 0) & (crossings < 1e6)]).tolist(), 1e6]
        first, last = 0, len(steps) - 1
        while last > first + 1:
            middle = (first + last) // 2
            first, last = (middle, last) if slope_at(steps[middle]) < 0 else (first, middle)
        before, after = slope_at(steps[first]), slope_at(steps[last])
        share = float(Fraction(before, before - after)) if before < after else 0.0
        step = steps[first] + share * (steps[last] - steps[first])
        stepped: Whole = beta + (int(step * 2**_STEP_BITS) * change >> _STEP_BITS)
        return stepped

    def lack(self, beta: Whole) -> float:
        """Return the length of what the optimality conditions lack."""
        lacks = self._margins(self.gram @ beta + self.ridges * beta)
        return float(np.linalg.norm(np.where(beta != 0, lacks, np.maximum(lacks, 0.0))))

    def _short(self, beta: Whole) -> Values:
        """Return what margins are below 1."""
        return self._margins(self.gram @ beta)

    def _margins(self, decisions: Whole) -> Values:
        bits = self.bits + BETA_BITS
        return _rounded((1 << bits) - self.target * decisions, bits)

    def _signed(self, beta: Whole) -> Values:
        """Return y R beta."""
        return _rounded(self.target * self.ridges * beta, self.bits + BETA_BITS)

    def _guess(self) -> NDArray[np.bool_]:
        """Return the support vectors as doubles see them."""
        gram, ridges = _rounded(self.gram, self.bits), _rounded(self.ridges, self.bits)
        target = self.target.astype(np.float64)
        support = np.ones(len(target), np.bool_)
        for _ in range(30):
            beta = np.zeros(len(target))
            kernel = gram[np.ix_(support, support)] + np.diag(ridges[support])
            try:
                beta[support] = np.linalg.solve(kernel, target[support])
            except np.linalg.LinAlgError:
                break
            wrong = np.where(support, target * beta < 0, target * (gram @ beta) < 1)
            if not wrong.any():
                break
            support = support ^ wrong
        return support

    def _refined(self, support: NDArray[np.bool_]) -> Whole:
        """Return beta of the regression on the support vectors."""
        beta = np.zeros(len(support), object)
        places = np.flatnonzero(support)
        if len(places) == 0:
            return beta
        kernel = self.gram[np.ix_(places, places)].copy()
        kernel[np.diag_indices_from(kernel)] += self.ridges[places]
        for solve in _solvers(kernel, self.bits):
            if self._refine(beta, places, kernel, solve):
                return beta
        msg = "the residual does not settle"
        raise AssertionError(msg)

    def _refine(self, beta: Whole, places: NDArray[np.int64], kernel: Whole, solve: Solve) -> bool:
        """Refine beta until its residual is tiny; return whether it ever is."""
        bits, smallest = self.bits + BETA_BITS, np.inf
        while True:
            lacks = _rounded((self.target[places] << bits) - kernel @ beta[places], bits)
            size = np.abs(lacks).max()
            if not 0.1 * smallest > size > TINY:
                return bool(size <= TINY)
            smallest = size
            for part in solve(lacks):
                beta[places] += np.array([int(np.ldexp(one, BETA_BITS)) for one in part], object)


def exact_gram(features: Values) -> tuple[Whole, int]:
    """Return the exact Gram matrix, and the bits of its unit."""
    per_piece = (52 - int(np.ceil(np.log2(features.shape[1] + 1)))) // 2
    top = int(np.frexp(np.abs(features).max(initial=0.0))[1])
    pieces, rest = [], features
    while rest.any():
        top -= per_piece
        piece = np.rint(np.ldexp(rest, -top))
        rest = rest - np.ldexp(piece, top)
        pieces.append(piece)
    total = np.zeros((len(features), len(features)), object)
    for order in range(2 * len(pieces) - 1):
        total = total << per_piece
        for left in range(max(0, order + 1 - len(pieces)), min(order + 1, len(pieces))):
            product = pieces[left] @ pieces[order - left].T
            total = total + product.astype(np.int64).astype(object)
    return total, -2 * top


def _rounded(numbers: Whole, bits: int) -> Values:
    """Return whole numbers in units of 2^-bits as doubles."""
    return np.asarray(numbers / (1 << bits), np.float64)


def _solvers(kernel: Whole, bits: int) -> Iterator[Solve]:
    """Yield what solves for a right side: in doubles, in pairs of doubles."""
    high = _rounded(kernel, bits)
    try:
        inverse = np.linalg.inv(np.linalg.cholesky(high))
        yield lambda right: (inverse.T @ (inverse @ right), np.zeros_like(right))
    except np.linalg.LinAlgError:
        pass
    exact = np.array([int(np.ldexp(one, bits)) for one in high.flat], object).reshape(high.shape)
    lower, pivots = _factorise((high, _rounded(kernel - exact, bits)))
    yield lambda right: _substitute(lower, pivots, right)


def _factorise(kernel: Pair) -> tuple[Pair, Pair]:
    """Return L and D of L D L', in pairs of doubles."""
    high, low = kernel[0].copy(), kernel[1].copy()
    for place in range(len(high)):
        below = slice(place + 1, None)
        column = high[below, place].copy(), low[below, place].copy()
        scaled = _divide(column, (high[place, place], low[place, place]))
        outer = _multiply((scaled[0][:, None], scaled[1][:, None]), column)
        high[below, below], low[below, below] = _add(
            (high[below, below], low[below, below]), (-outer[0], -outer[1])
        )
        high[below, place], low[below, place] = scaled
    return (high, low), (high.diagonal().copy(), low.diagonal().copy())


def _substitute(lower: Pair, pivots: Pair, right: Values) -> Pair:
    """Return the solution of L D L' x = right."""
    x = right.copy(), np.zeros_like(right)
    for place in range(len(right)):
        _eliminate(x, slice(place + 1, None), (lower[0][:, place], lower[1][:, place]), place)
    x = _divide(x, pivots)
    for place in reversed(range(len(right))):
        _eliminate(x, slice(0, place), (lower[0][place], lower[1][place]), place)
    return x


def _eliminate(x: Pair, others: slice, factors: Pair, place: int) -> None:
    """Subtract from others what one that is known takes."""
    known = x[0][place], x[1][place]
    taken = _multiply((factors[0][others], factors[1][others]), known)
    x[0][others], x[1][others] = _add((x[0][others], x[1][others]), (-taken[0], -taken[1]))


def _add(left: Pair, right: Pair) -> Pair:
    total = left[0] + right[0]
    lost = total - left[0]
    error = (left[0] - (total - lost)) + (right[0] - lost)
    return _normal(total, error + (left[1] + right[1]))


def _multiply(left: Pair, right: Pair) -> Pair:
    product, error = _product(left[0], right[0])
    return _normal(product, error + (left[0] * right[1] + left[1] * right[0]))


def _divide(left: Pair, right: Pair) -> Pair:
    quotient = left[0] / right[0]
    taken = _multiply((quotient, np.zeros_like(quotient)), right)
    rest = _add(left, (-taken[0], -taken[1]))
    return _normal(quotient, rest[0] / right[0])


def _normal(high: Values, low: Values) -> Pair:
    total = high + low
    return total, low - (total - high)


def _product(left: Values, right: Values) -> Pair:
    """Return a product and its rounding error (Dekker)."""
    left_high, right_high = _SPLITTER * left, _SPLITTER * right
    left_high, right_high = left_high - (left_high - left), right_high - (right_high - right)
    left_low, right_low = left - left_high, right - right_high
    product = left * right
    error = left_high * right_high - product
    return product, left_low * right_low + (error + left_high * right_low + left_low * right_high)
