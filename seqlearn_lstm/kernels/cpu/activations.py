"""tanh, sigmoid and exp of whole vectors, and the four gates of an LSTM together.

``tanh`` is a fraction p / q in both precisions, so that two gates can share one division.

float32   p / q is the rational approximation on [-7.9, 7.9] that Eigen uses; about 2e-7 off
float64   tanh(x) = e / (e + 2) with e = expm1(2 x), Cody and Waite's reduction and a polynomial; a few units in the last
          place
"""

from numba import types
from numba.extending import overload

from .compile import ALWAYS_INLINED, inlined
from .simd import fma, maximum, minimum, power_of_two, round_to_even

LOG2_E = 1.4426950408889634
LN2_HIGH_32, LN2_LOW_32 = 0.693359375, -2.12194440e-4
LN2_HIGH_64, LN2_LOW_64 = 0.693147180369123816490, 1.90821492927058770002e-10


def _by_dtype(function, variants):
    """Give the compiled `function` the variant for its vector's dtype."""
    overload(function, jit_options=ALWAYS_INLINED)(lambda x: variants[x.dtype])


def tanh_fraction(x):
    """(p, q) with tanh(x) = p / q and q > 0."""
    raise TypeError("for compiled code")


def _tanh_fraction_32(x):
    x = minimum(maximum(x, -7.90531110763549805), 7.90531110763549805)
    y = x * x
    p = fma(y, -2.76076847742355e-16, 2.00018790482477e-13)
    p = fma(p, y, -8.60467152213735e-11)
    p = fma(p, y, 5.12229709037114e-08)
    p = fma(p, y, 1.48572235717979e-05)
    p = fma(p, y, 6.37261928875436e-04)
    p = fma(p, y, 4.89352455891786e-03)
    q = fma(y, 1.19825839466702e-06, 1.18534705686654e-04)
    q = fma(q, y, 2.26843463243900e-03)
    q = fma(q, y, 4.89352518554385e-03)
    return x * p, q


def _tanh_fraction_64(x):
    x = minimum(maximum(x, -19.5), 19.5)
    e, power = reduced_exp(x + x)
    e = fma(e, power, power - 1.0)
    return e, e + 2.0


def reduced_exp(x):
    """(e, power) with exp(x) = (1 + e) * power: x = k ln(2) + r, e = exp(r) - 1, power = 2**k (Cody
    and Waite).
    """
    raise TypeError("for compiled code")


def _reduced_exp_32(x):
    k = round_to_even(x * LOG2_E)
    r = fma(k, -LN2_LOW_32, fma(k, -LN2_HIGH_32, x))
    s = fma(r, 1 / 5040, 1 / 720)
    s = fma(s, r, 1 / 120)
    s = fma(s, r, 1 / 24)
    s = fma(s, r, 1 / 6)
    s = fma(s, r, 1 / 2)
    return fma(s * r, r, r), power_of_two(k)


def _reduced_exp_64(x):
    k = round_to_even(x * LOG2_E)
    r = fma(k, -LN2_LOW_64, fma(k, -LN2_HIGH_64, x))
    # The Taylor series of exp(r) - 1 - r: |r| <= ln(2) / 2, so that the first term left out is
    # below 1e-17.
    s = fma(r, 1 / 6227020800, 1 / 479001600)
    s = fma(s, r, 1 / 39916800)
    s = fma(s, r, 1 / 3628800)
    s = fma(s, r, 1 / 362880)
    s = fma(s, r, 1 / 40320)
    s = fma(s, r, 1 / 5040)
    s = fma(s, r, 1 / 720)
    s = fma(s, r, 1 / 120)
    s = fma(s, r, 1 / 24)
    s = fma(s, r, 1 / 6)
    s = fma(s, r, 1 / 2)
    return fma(s * r, r, r), power_of_two(k)


def exp(x):
    """exp(x) for x <= 0, as a softmax needs it. The result is never smaller than about 1e-37
    (float64: 1e-299).
    """
    raise TypeError("for compiled code")


def _exp_32(x):
    e, power = reduced_exp(maximum(x, -86.0))
    return fma(e, power, power)


def _exp_64(x):
    e, power = reduced_exp(maximum(x, -690.0))
    return fma(e, power, power)


for _function, _single, _double in (
    (tanh_fraction, _tanh_fraction_32, _tanh_fraction_64),
    (reduced_exp, _reduced_exp_32, _reduced_exp_64),
    (exp, _exp_32, _exp_64),
):
    _by_dtype(_function, {types.float32: _single, types.float64: _double})


@inlined
def sigmoid_fraction(x):
    """(p, q) with sigmoid(x) = 1/2 + p / q and q > 0: half of tanh(x / 2)."""
    p, q = tanh_fraction(x * 0.5)
    return p * 0.5, q


@inlined
def tanh(x):
    p, q = tanh_fraction(x)
    return p / q


@inlined
def sigmoid(x):
    return fma(tanh(x * 0.5), 0.5, 0.5)


@inlined
def lstm_gates(i, f, g, o):
    """sigmoid(i), sigmoid(f), tanh(g), sigmoid(o), with one division for two of them."""
    pi, qi = sigmoid_fraction(i)
    pf, qf = sigmoid_fraction(f)
    pg, qg = tanh_fraction(g)
    po, qo = sigmoid_fraction(o)
    inverse_if, inverse_go = 1.0 / (qi * qf), 1.0 / (qg * qo)
    return (
        fma(pi, inverse_if * qf, 0.5),
        fma(pf, inverse_if * qi, 0.5),
        pg * (inverse_go * qo),
        fma(po, inverse_go * qg, 0.5),
    )
