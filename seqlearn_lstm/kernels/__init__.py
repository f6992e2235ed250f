"""The contract between a network and the code that computes it.

A backend is a module with the functions below; ``get_backend(name)`` gives it. The caller allocates
(with the backend's own ``zeros``), a kernel fills: inputs first, then what is written. Arrays are
C-contiguous, float32 or float64 (all of one call the same), indices int64. Nothing is checked here,
no strings but `precision`, no None. Results do not depend on ``n_jobs``, to the bit.

Arrays may lie on a device. There they can be cut by ranges, reshaped, copied, written to (``x[...] =``
a number or an array, also of the host) and added to (``x += y``); all else is a function's work. The plans
of batches, and all other indices, are arrays of the host, which nobody writes to any more.
A number that a function returns may still lie on the device, too: it can be added to others, multiplied with and
divided by numbers of the host, and given as a `scale`; float(number) waits for it.

Letters
    B sequences of a batch, longest first; T steps of the longest; I inputs; H units; C outputs; L lanes of the backend
    live (T,), slots (T + 2,), n_slots, n_states    how the rows of a batch lie: ``batches``
    Hp = H rounded up to L; 4 Hg = ``gate_columns``: the columns of an LSTM's weights, whose gates are i, f, g, o

Memory and layouts; a panelled matrix is flat, its panels of columns one after another
    zeros(shape, dtype)          aligned memory
    to_device(array), to_host(array)     an array of the host where kernels read it, and back; on the CPU: itself
    lanes(dtype)                 L;  padded(n, dtype): n rounded up to L;  row_stride(n, dtype): a good row length for n columns
    panels(flat, n_rows, n_columns)      a panelled matrix as a list of 2-D views; row 0 of weights is the bias
    panel_columns(n_columns, dtype)      columns of a panel
    gate_columns(n_units, dtype)         4 Hg
    pack_lstm(b, W, U, flat)     canonical to backend, (1 + I + H, 4 Hg);  unpack_lstm(flat, n_in, n_units): back, (b, W, U)
    unpack_gates(flat, n_rows, n_units)  activated gates as the kernels below leave them, (4, n_rows, H), in their order
    lstm_extras_size(n_units, dtype)     elements of `extras`, the further parameters of an LSTM with options, flat
    lstm_sums_size(n_units, dtype)       elements of `sums` for each sequence
    pack_lstm_extras(p, gain, cell_gain, cell_shift, flat)   canonical to backend: p (3 H,) i, f, o; gain (4 H,) i, f, g, o
    unpack_lstm_extras(flat, n_units)    back, (p, gain, cell_gain, cell_shift)
    pack_gru(b, W, U, b_n, flat)         canonical r, u, n to backend, (1 + I + H, 4 Hg): n, r, u, m; b_n (H,) the bias of m
    unpack_gru(flat, n_in, n_units)      back, (b, W, U, b_n)
    clear_gru(gradient, n_in, n_units)   zeros where n reads states and m inputs, for there the weights are zero
    take_candidate(V, W, n_in, n_units)  V (H, Hp) panelled: a GRU's U_n
    put_candidate(gradient, dV, n_in, n_units)     and its gradient back; clears, too
    pack_rnn(b, W, U, flat)      canonical to backend, (1 + I + H, Hp);  unpack_rnn(flat, n_in, n_units): back, (b, W, U)
    pack_dense(b, W, flat)       canonical to backend, (1 + I, C padded);  unpack_dense(flat, n_in, n_out): back, (b, W)
    available_threads()          how many threads `n_jobs` may ask for

Rows
    gather(source, source_column, index, out, out_column, width, n_jobs) out rows from source rows; zeros where index < 0
    put_rows(source, index, out, width, n_jobs)    out[index[k], :width] = source[k, :width]; rows of `index` distinct
    scatter_add(source, source_column, index, out, out_column, width)    out[index[k]] += source[k] where index >= 0
    take(source, index, column, width)           those rows and columns, as a new array of the host
    sum_rows(x, first, out)                      out (n,) = the sum of x[first:, :n] over rows
    add_decay(values, slopes, strength) -> sum of squares of values; slopes += strength * values

Dropout; a key is a uint64, sequences (B,) their numbers in the container: what is dropped depends on nothing else
    dropout_mask(out, sequences, key, rate, n_jobs)                out (B, n): 0 with probability `rate`, else 1 / (1 - rate)
    scale_rows(x, column, mask, live, slots, width, n_jobs)        x[slots[t] + r, column + k] *= mask[r, k]

LSTM, one direction of one layer
    lstm_forward(z, c, gates, W, live, slots, kept, n_in, n_units, n_jobs, precision="float32", training=False)
        z      (n_states, >= 1 + I + Hp)   IN 1, inputs, initial h in rows 0..B; OUT h of all steps
        c      (n_states or B, Hp)         IN initial c; OUT c of all steps, or of the last of each sequence
        gates  (n_slots or B, 4 Hg) flat   OUT activated gates, panelled, for lstm_backward
        kept   (T + 2,)                    `slots` to keep c and gates of all steps, zeros to overwrite them
        precision                          what products may round their factors to, if that is faster: "tf32": 10 bits of
                                           mantissa, "bf16": 7; "float32": they may not
        training                           whether sums may be rounded otherwise than those of single steps, if that is faster
    lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, n_jobs, precision="float32")
        d_out  (n_slots or 0, >= Hp)       gradient at the output of each slot's step, zero in padded units; no rows: none
        gates                              IN as lstm_forward left it; OUT gradient at the pre-activations
        UT                                 U transposed: ``transpose(UT, W, 1 + I + H, 4 Hg, 1 + I, H)``
        dh dc  (B, Hp)                     IN gradient at the final states; OUT at the initial states; zero in padded units

Other cells, one direction of one layer; live, slots, kept, d_out, UT as of the LSTM
    lstm_options_forward(z, h, c, gates, centred, stats, W, extras, mask, live, slots, kept, n_in, n_units, options,
                         n_jobs, training=False)
        z c gates W                        as of lstm_forward, but the h columns of z: OUT h * mask, what the product reads
        h      (n_states, Hp)              IN initial h in rows 0..B, zero in padded units; OUT h of all steps, always
        centred (as gates, or 0), stats (n_slots or B, 6; or 0 rows)    OUT, under layer_norm, for what follows
        mask   (B or 0, Hp)                multiplied onto h before the product, at all steps the same; no rows: none
        options                            (peephole, forget_gate, layer_norm, activation, output_activation): 0 or 1 three
                                           times; of g and of the cell output 0: tanh, 1: relu, 2: sigmoid, 3: linear.
                                           Without forget_gate W has zeros for f, and so has its gradient
    lstm_options_backward(d_out, c, gates, centred, stats, sums, UT, extras, mask, dh, dc, live, slots, n_units, options,
                          n_jobs)
        gates dh dc                        as of lstm_backward
        sums   (B * lstm_sums_size or 0,)  OUT, with peepholes or under layer_norm, for lstm_options_gradient
    lstm_options_gradient(gradient, d_extras, sums, n_in, n_units, options, n_jobs)
        after `outer`, which fills the gradient of W: its bias row, under layer_norm; d_extras: OUT, zero for what is off
    gru_forward(z, h, gates, W, mask, live, slots, kept, n_in, n_units, n_jobs, training=False)
        z      (n_states, >= 1 + I + Hp)   IN 1, inputs; OUT h * mask of all steps: what the recurrent product reads
        h      (n_states, Hp)              IN initial h in rows 0..B, zero in padded units; OUT h of all steps, always
        gates  (n_slots or B, 4 Hg) flat   OUT n, r, u, m, panelled, for gru_backward
        mask   (B or 0, Hp)                multiplied onto h before the product, at all steps the same; no rows: none
    gru_backward(d_out, h, gates, UT, dh, mask, live, slots, n_units, n_jobs)
        gates                              IN as gru_forward left it; OUT gradient at the pre-activations
        dh     (B, Hp)                     IN gradient at the final states; OUT at the initial states; zero in padded units
    gru_before_forward(z, h, a, gates, W, V, mask, live, slots, kept, n_in, n_units, n_jobs)
        the reset gate before the product, which has no bias: b_n is zeros in W
        a      (n_slots or B, >= Hp)       OUT reset states;  V: from take_candidate
    gru_before_backward(d_out, h, a, gates, d_a, UT, VT, dh, mask, live, slots, n_units, n_jobs)
        VT                                 ``transpose(VT, V, H, Hp, 0, H)``
        d_a    (n_slots, Hp) flat          OUT panelled; dV (H, Hp) = ``outer`` of a and d_a, for put_candidate
    rnn_forward(z, h, W, mask, live, slots, n_in, n_units, act, n_jobs)      act 0: tanh, 1: relu
    rnn_backward(d_out, h, d_pre, UT, dh, mask, live, slots, n_units, act, n_jobs)
        d_pre  (n_slots, Hp) flat          OUT gradient at the pre-activations, panelled

Products
    multiply(out, a, a_rows, K, piece, b, n_rows, n_columns, n_jobs, training=False)
        out[:n_rows, :n_columns] = a[:n_rows] @ b; a (a_rows, K) flat in panels of `piece` columns
        (K: plain rows); b panelled
    outer(dW, a, d, n_rows, n_inputs, n_columns, d_rows, d_stride, n_jobs)
        dW = a[:n_rows, :n_inputs]^T @ d[:n_rows], panelled; d flat: panelled with d_rows rows, or
        rows of d_stride if not 0
    transpose(out, W, n_inputs, n_columns, first_input, n_used, n_jobs)      out = W[first_input:first_input + n_used]^T

Pooling; first (B,): the step of its sequence that step 0 is; where that is not 0, `sums`, `out` and `steps` go on
    pool_sum(z, column, live, slots, first, sums, out_column, width)         sums float64, that long sequences add up
    pool_mean(sums, lengths, out, column, width)           out[:, column : column + width] = the sums / lengths[r], rounded
    pool_mean_backward(d_pooled, d_column, live, slots, lengths, d_out, width)      of the sum, divided by the lengths
    pool_max(z, column, live, slots, first, steps, out, out_column, width)   steps (B, width): OUT where the largest stood
    pool_max_backward(d_pooled, d_column, live, slots, first, steps, d_out, width)

Heads; scores (rows, C padded)
    softmax_cross_entropy(scores, targets, weights, total_weight, n_classes) -> loss; scores become the gradient
    regression_loss(scores, targets, weights, total_weight, kind, delta) -> loss; scores become the gradient
        targets (rows, outputs) float64; kind 0: squared error, 1: absolute error, 2: Huber's with
        `delta`

Solvers; flat arrays of one length, any; g = scale * gradient. What each does is said in ``cpu.updates``, ``cpu.moments``
    sum_of_squares(x, n_jobs=1) -> number
    clip_scale(gradients, limit, n_jobs) -> (norm, scale)
        of flat arrays together: their Euclidean norm, and the scale that makes it at most `limit`: 1, or limit / norm
    clip_values(gradient, limit, n_jobs)       in place: every element between -limit and limit
    descend(theta, gradient, scale, rate, n_jobs)                              theta -= rate * g
    sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, n_jobs)
    rmsprop(theta, gradient, square, scale, rate, rho, epsilon, n_jobs)
    adagrad(theta, gradient, square, scale, rate, epsilon, n_jobs)
    adadelta(theta, gradient, square, change, scale, rate, rho, epsilon, n_jobs)
    adam(theta, gradient, m, v, scale, rate, decay, beta_1, beta_2, root_correction, epsilon, n_jobs)
    amsgrad(theta, gradient, m, v, largest, scale, rate, beta_1, beta_2, root_correction, epsilon, n_jobs)
    nadam(theta, gradient, m, v, scale, gradient_rate, rate, beta_1, beta_2, root_correction, epsilon, n_jobs)

On the host, whatever computes: functions of the CPU's backend alone
    plan_steps, plan_sources, plan_states    the row numbers of a batch, for ``batches``
    drop_symbols(symbols, sequences, live, slots, key, rate)       symbols (n_slots,): some become -1, in all of a sequence
    softmax(scores, n_classes)               in place;  log_softmax(scores, out, n_classes): destroys scores
"""

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from .._turn import Turn

TO_INSTALL = 'pip install "seqlearn_lstm[cuda13]", or [cuda12] for an older driver'


def get_backend(device):
    """The module that computes.

    Parameters
    ----------
    device : {"cpu", "cuda", "auto"}
        "auto": "cuda" where there is a GPU; the simulator does not count as one.

    Raises
    ------
    RuntimeError
        If there is no GPU for "cuda", or nothing that compiles for it.
    ValueError
        If it is no device.
    """
    if device not in ("cpu", "cuda", "auto"):
        raise ValueError(f'device is {device!r}; expected "cpu", "cuda" or "auto"')
    if device == "cpu":
        return _backend("cpu")
    reason = None if _simulates() else _why_no_cuda(os.getpid())
    if device == "auto":
        return _backend("cpu" if reason or _simulates() else "cuda")
    if reason:
        raise RuntimeError(f'device is "cuda", but {reason}; device="cpu" needs neither')
    return _backend("cuda")


@cache
def _backend(name):
    return import_module(f".{name}", __name__)


def _simulates():
    """Whether CUDA kernels run in the simulator."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM", "0") not in ("0", "")


_asking = Turn()


def _why_no_cuda(process):
    """What is missing for "cuda", for the process of this number; None: nothing."""
    with _asking.lock:  # the first steps of numba-cuda are not for several threads at once
        return _why_never(process) or _primitives().why_not_now()


@cache
def _why_never(process):
    """What will not change while the process lives."""
    if find_spec("numba_cuda") is None:
        return f"numba-cuda is not installed; expected {TO_INSTALL}"
    try:
        primitives = _primitives()
    except Exception as error:  # made for another numba, for instance
        return f"numba-cuda cannot be imported ({error}); expected {TO_INSTALL}"
    return primitives.why_no_device(TO_INSTALL)


def _primitives():
    return import_module(".cuda.primitives", __name__)
