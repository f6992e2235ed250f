"""The contract between a network and the code that computes it.

A backend is a module with the functions below; ``get_backend(name)`` gives it. The caller allocates (with the backend's own
``zeros``), a kernel fills: inputs first, then what is written. Arrays are C-contiguous, float32 or float64 (all of one call the
same), indices int64. Nothing is checked here, no strings, no None. Results do not depend on ``n_jobs``, to the bit.

Letters
    B sequences of a batch, longest first; T steps of the longest; I inputs; H units; C outputs; L lanes of the backend
    live (T,), slots (T + 2,), n_slots, n_states    how the rows of a batch lie: ``batches``
    Hp = H rounded up to L; P = Hp / L panels; an LSTM's gates are i, f, g, o

Memory and layouts
    zeros(shape, dtype)          aligned memory
    lanes(dtype)                 L;  padded(n, dtype): n rounded up to L;  row_stride(n, dtype): a good row length for n columns
    lstm_shape(n_in, n_units, dtype)     shape of the backend's weights of one direction
    pack_lstm(b, W, U, panels)   canonical to backend;  unpack_lstm(panels, n_in, n_units): back, as (b, W, U)
    pack_dense(b, W, flat)       canonical to backend;  unpack_dense(flat, n_in, n_out): back, as (b, W)
    dense_panels(flat, rows, n_out)      a flat panelled matrix as a list of 2-D views; row 0 is the bias
    available_threads()          how many threads `n_jobs` may ask for

Rows
    gather(source, source_column, index, out, out_column, width)         out rows from source rows; zeros where index < 0
    scatter_add(source, source_column, index, out, out_column, width)    out[index[k]] += source[k] where index >= 0

LSTM, one direction of one layer
    lstm_forward(z, c, gates, W, live, slots, kept, n_in, n_jobs)
        z      (n_states, >= 1 + I + Hp)   IN 1, inputs, initial h in rows 0..B; OUT h of all steps
        c      (n_states or B, Hp)         IN initial c; OUT c of all steps, or of the last of each sequence
        gates  (P, n_slots or B, 4 L)      OUT activated gates, for lstm_backward
        kept   (T + 2,)                    `slots` to keep c and gates of all steps, zeros to overwrite them
    lstm_backward(d_out, c, gates, UT, dh, dc, live, slots, n_units, n_jobs)
        d_out  (n_slots or 0, >= Hp)       gradient at the output of each slot's step, zero in padded units; no rows: none
        gates                              IN as lstm_forward left it; OUT gradient at the pre-activations
        UT                                 U transposed: ``transpose(UT, W, 1 + I + H, 4 Hp, 1 + I, H)``
        dh dc  (B, Hp)                     IN gradient at the final states; OUT at the initial states

Products; a panelled matrix is flat, its columns padded to L
    multiply(out, a, b, n_rows, n_columns, n_jobs)      out = sum over p of a[p] @ b[p KA:(p + 1) KA]; a (PA, rows, KA)
    outer(dW, a, d, n_rows, n_inputs, n_columns, d_panel, d_row, n_jobs)     dW = a^T @ d, all of dW written
    transpose(out, W, n_inputs, n_columns, first_input, n_used, n_jobs)      out = W[first_input:first_input + n_used]^T

Pooling
    pool_mean(z, column, live, slots, lengths, out, out_column, width)
    pool_mean_backward(d_pooled, d_column, live, slots, lengths, d_out, width)
    pool_max(z, column, live, slots, steps, out, out_column, width)          steps (B, width): OUT where the largest stood
    pool_max_backward(d_pooled, d_column, live, slots, steps, d_out, width)

Heads; scores (rows, C padded)
    softmax(scores, n_classes)                 in place;  log_softmax(scores, out, n_classes): destroys scores
    softmax_cross_entropy(scores, targets, weights, total_weight, n_classes) -> loss; scores become the gradient

Solvers; flat arrays of one length
    sum_of_squares(x) -> float
    adam(theta, gradient, m, v, scale, rate, beta_1, beta_2, root_correction, epsilon, n_jobs)
    sgd(theta, gradient, velocity, scale, rate, momentum, nesterov, n_jobs)
"""

from importlib import import_module


def get_backend(name):
    """The module that computes: "cpu"."""
    return import_module(f".{name}", __name__)
