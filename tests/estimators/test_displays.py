"""Displays: what they draw, by their data, and where they draw it."""

import pickle
import sys

import numpy as np
import pytest
from estimator_helpers import SMALL, ragged, small
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seqlearn_lstm import LSTMEncoder, LSTMLanguageModel, LSTMRegressor, LSTMSequenceTagger
from seqlearn_lstm.display import SaliencyDisplay, StateDisplay, TrainingCurveDisplay
from seqlearn_lstm.inspection import saliency, states
from seqlearn_lstm.preprocessing import PerStep

X, Y = ragged()
LONGEST = max(X, key=len)
WORDS = [["a", "b", "c"], ["c", "a"], ["b", "b", "a", "c"]] * 4


@pytest.fixture(scope="module")
def fitted():
    return small(bidirectional=True).fit(X, Y)


@pytest.fixture
def plt():
    """matplotlib.pyplot, which draws into memory; no figure is open before and afterwards."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.close("all")
    yield pyplot
    pyplot.close("all")


def names_along(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def drawn(display):
    """What a line shows: (epochs, values)."""
    return [tuple(map(np.ndarray.tolist, line.get_data())) for line in display]


# ---- training curves -----------------------------------------------------------------------------


def test_a_curve_has_the_loss_the_score_and_the_best_epoch(plt):
    model = small(early_stopping=True, max_iter=6, scoring="neg_log_loss").fit(X, Y)
    display = TrainingCurveDisplay.from_estimator(model)
    epochs = [*range(1, 7)]
    assert drawn(display.lines_) == [(epochs, model.loss_curve_)]
    assert drawn(display.score_lines_) == [(epochs, model.validation_scores_)]
    assert display.best_iters == [model.best_iter_]
    assert [line.get_xdata() for line in display.best_lines_] == [[model.best_iter_] * 2]
    assert display.score_ax_ is not display.ax_
    assert display.score_ax_.get_ylabel() == "validation score (neg_log_loss)"
    assert display.ax_.figure is display.figure_
    display.figure_.canvas.draw()


def test_a_curve_without_scores(plt):
    model = small().fit(X, Y)
    display = TrainingCurveDisplay.from_estimator(model, name="small")
    assert (display.score_ax_, display.score_lines_, display.best_iters) == (None, [], [None])
    assert display.ax_.get_legend().get_texts()[0].get_text() == "small: training loss"


def test_without_early_stopping_the_best_epoch_is_that_of_the_highest_score(plt):
    model = small(max_iter=5).fit(X, Y, X_val=X[:20], y_val=Y[:20])
    display = TrainingCurveDisplay.from_estimator(model)
    assert display.best_iters == [np.argmax(model.validation_scores_) + 1]


def test_a_training_that_went_on_is_one_curve(plt):
    model = small(warm_start=True, max_iter=4).fit(X, Y)
    whole = TrainingCurveDisplay.from_estimator(model.set_params(max_iter=2).fit(X, Y))
    assert drawn(whole.lines_) == [([*range(1, 7)], small(max_iter=6).fit(X, Y).loss_curve_)]
    passes = clone(model)
    for _ in range(3):
        passes.partial_fit(X, Y)
    assert len(TrainingCurveDisplay.from_estimator(passes).loss_curves[0]) == 3


def test_several_over_each_other_and_joined(plt):
    models = [small(max_iter=n).fit(X, Y, X_val=X, y_val=Y) for n in (2, 3)]
    models.append(small(max_iter=2).fit(X, Y))
    curves = [model.loss_curve_ for model in models]
    display = TrainingCurveDisplay.from_estimators(models, names=["a", "b", "c"])
    assert drawn(display.lines_) == [([*range(1, len(c) + 1)], c) for c in curves]
    assert len({line.get_color() for line in display.lines_}) == 3
    assert len(display.score_lines_) == 2
    joined = TrainingCurveDisplay.from_estimators(models, joined=True)
    assert drawn(joined.lines_) == [([*range(1, 8)], [*curves[0], *curves[1], *curves[2]])]
    assert joined.joins == [[2, 5]]
    scores = models[0].validation_scores_ + models[1].validation_scores_
    np.testing.assert_array_equal(joined.validation_scores, [[*scores, np.nan, np.nan]])
    assert joined.best_iters == [np.argmax(scores) + 1]


def test_the_best_epoch_of_joined_curves_is_that_of_the_last(plt):
    losses, scores = [[3, 2], [2, 1, 0]], [[0, 9], [1, 2, 1]]
    joined = TrainingCurveDisplay.from_curves(
        losses, validation_scores=scores, best_iters=[2, 2], joined=True, names=["both"]
    )
    assert joined.best_iters == [4]
    assert drawn(joined.score_lines_) == [([1, 2, 3, 4, 5], [0, 9, 1, 2, 1])]


def test_a_display_over_another_shares_its_axes(plt):
    figure, (ax, _) = plt.subplots(1, 2)
    models = [small(max_iter=n).fit(X, Y, X_val=X, y_val=Y) for n in (2, 3)]
    first, second = (
        TrainingCurveDisplay.from_estimator(model, name=name, ax=ax)
        for model, name in zip(models, "ab", strict=True)
    )
    assert first.ax_ is second.ax_ is ax
    assert first.score_ax_ is second.score_ax_
    assert len(figure.axes) == 3
    legends = [each.get_legend() for each in figure.axes if each.get_legend()]
    assert len(legends) == 1
    assert len(legends[0].get_texts()) == 6


def test_every_name_stands_in_the_legend(plt):
    """Labels that begin with "_" mean to matplotlib that a line is to be left out."""
    _, ax = plt.subplots()
    ax.plot([1, 2], [0, 1], label="_left out")
    ax.plot([1, 2], [1, 0], label="other")
    curves = dict(loss_curves=[[2.0, 1.0]] * 4, validation_scores=[[0.0, 1.0]] + [None] * 3)
    display = TrainingCurveDisplay.from_curves(**curves, names=["_a", 0, None, ""], ax=ax)
    display.figure_.canvas.draw()
    expected = [
        "_a: training loss",
        "_a: best epoch, 2",
        "0: training loss",
        *["training loss"] * 2,
    ]
    texts = display.score_ax_.get_legend().get_texts()
    assert [text.get_text() for text in texts] == ["other", *expected, "_a: validation score"]
    again = TrainingCurveDisplay.from_curves([[1.0]], names=[1], ax=ax)  # over them
    texts = display.score_ax_.get_legend().get_texts()
    assert [text.get_text() for text in texts][1:6] == expected
    assert again.ax_ is ax


def test_estimators_within_others(plt):
    model = make_pipeline(PerStep(StandardScaler()), small()).fit(X, Y)
    search = GridSearchCV(model, {"lstmclassifier__max_iter": [2]}, cv=2).fit(X, Y)
    assert len(TrainingCurveDisplay.from_estimator(search).loss_curves[0]) == 2
    encoder = LSTMEncoder(estimator=small(max_iter=2)).fit(X, Y)
    assert len(TrainingCurveDisplay.from_estimator(encoder).loss_curves[0]) == 2


def test_epochs_without_a_score(plt):
    model = small(warm_start=True).fit(X, Y)
    model.fit(X, Y, X_val=X, y_val=Y)
    display = TrainingCurveDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.validation_scores, [model.validation_scores_])
    assert display.best_iters == [np.nanargmax(model.validation_scores_) + 1]


@pytest.mark.parametrize(
    "args, message",
    [
        (dict(loss_curves=[]), "no curve"),
        (dict(loss_curves=[[]]), r"loss_curves\[0\] has shape \(0,\)"),
        (dict(loss_curves=[1.0, 2.0]), r"loss_curves\[0\] has shape \(\)"),
        (dict(loss_curves=[[1, 2]], validation_scores=[[1]]), r"\[0\] has shape \(1,\); .*\(2,\)"),
        (dict(loss_curves=[[1, 2]], validation_scores=[[1, 2], [3]]), "has length 2; expected 1"),
        *[
            (
                dict(loss_curves=[[5], [1, 2]], best_iters=[1, best]),
                r"best_iters\[1\] is .* 1 to 2: an",
            )
            for best in (17, 0, -1, 1.7, np.nan, "a", True)
        ],
        (dict(loss_curves=[[1], [2]], names=["a"]), "names has length 1; expected 2"),
        (dict(loss_curves=[[1], [2]], names=["a", "b"], joined=True), "names has length 2"),
    ],
)
def test_curves_that_cannot_be(plt, args, message):
    with pytest.raises(ValueError, match=message):
        TrainingCurveDisplay.from_curves(**args)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    "args, message",
    [
        (dict(loss_curves=None), "loss_curves has type NoneType; expected a list"),
        (dict(loss_curves=[[1], [2]], names="ab"), "names is 'ab'; expected a list"),
        (dict(loss_curves=[[1, 2]], best_iters=2), "best_iters has type int; expected a list"),
    ],
)
def test_what_is_no_list_of_curves(plt, args, message):
    with pytest.raises(TypeError, match=message):
        TrainingCurveDisplay.from_curves(**args)
    assert not plt.get_fignums()


def test_an_estimator_is_no_list(plt, fitted):
    with pytest.raises(TypeError, match="estimators has type LSTMClassifier; expected a list"):
        TrainingCurveDisplay.from_estimators(fitted)


# ---- states --------------------------------------------------------------------------------------


def test_states_are_drawn_as_they_are(plt, fitted):
    display = StateDisplay.from_estimator(fitted, LONGEST, direction="backward")
    expected = states(fitted, LONGEST, direction="backward").activations
    assert list(display.activations) == ["h", "c", "i", "f", "g", "o"]
    for image, name in zip(display.images_, expected, strict=True):
        np.testing.assert_array_equal(display.activations[name], expected[name])
        np.testing.assert_array_equal(image.get_array(), expected[name].T)
    assert [ax.get_title()[-1] for ax in display.axes_] == ["h", "c", "i", "f", "g", "o"]
    assert [image.get_clim() for image in display.images_[[2, 3, 5]]] == [(0, 1)] * 3
    low, high = display.images_[0].get_clim()
    assert -low == high == np.abs(expected["h"]).max()
    assert display.labels == [*range(len(LONGEST))]
    display.figure_.canvas.draw()


def test_units_and_kinds(plt, fitted):
    whole = states(fitted, LONGEST).activations
    display = StateDisplay.from_estimator(fitted, LONGEST, kinds=["gates", "h"], units=[5, -6, 1])
    assert list(display.activations) == ["i", "f", "g", "o", "h"]
    np.testing.assert_array_equal(display.activations["f"], whole["f"][:, [5, 0, 1]])
    assert names_along(display.axes_[0].yaxis) == ["5", "0", "1"]
    for units, chosen in ((2, [2]), (slice(1, 4), [1, 2, 3])):
        one = StateDisplay.from_estimator(fitted, LONGEST, kinds="c", units=units)
        assert one.units.tolist() == chosen
        np.testing.assert_array_equal(one.activations["c"], whole["c"][:, chosen])
        assert one.axes_.tolist() == [one.ax_]


@pytest.mark.parametrize("cell, kinds", [("gru", ["h", "r", "u", "n"]), ("rnn", ["h"])])
def test_other_cells(plt, cell, kinds):
    model = LSTMRegressor(**SMALL, cell=cell).fit(X, [x.mean() for x in X])
    assert list(StateDisplay.from_estimator(model, LONGEST).activations) == kinds


def test_symbols_and_labels_stand_along_the_axis(plt):
    model = small(embedding_dim=3).fit(WORDS, [0, 1, 0] * 4)
    display = StateDisplay.from_estimator(model, ["c", "?", "a"])
    assert names_along(display.axes_[-1].xaxis) == display.labels == ["c", "?", "a"]
    display = StateDisplay.from_estimator(model, ["c", "?", "a"], labels=["x", "y", "z"], kinds="h")
    assert names_along(display.ax_.xaxis) == ["x", "y", "z"]
    cut = small(max_timesteps=2).fit(X, Y)
    display = StateDisplay.from_estimator(cut, LONGEST[:3], labels="xyz", kinds="h")
    assert display.labels == ["y", "z"]
    long = StateDisplay.from_estimator(model, ["a"] * 200, kinds="h")
    assert len(long.labels) == 200
    assert long.ax_.get_xticks().tolist() == [*range(0, 200, 4)]


def test_where_states_are_drawn(plt, fitted):
    figure, axes = plt.subplots(1, 2)
    display = StateDisplay.from_estimator(fitted, LONGEST, kinds=["h", "c"], ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert len(display.axes_) == 2
    again = display.plot(axes, cmap="gray", colorbar=False, im_kw=dict(vmax=3))
    assert again is display
    assert display.axes_.tolist() == axes.tolist()
    assert display.ax_ is None
    assert {image.get_cmap().name for image in display.images_} == {"gray"}
    assert display.images_[0].get_clim()[1] == 3
    figure.canvas.draw()
    with pytest.raises(ValueError, match="holds 2 axes; expected one, or 6"):
        StateDisplay.from_estimator(fitted, LONGEST, ax=axes)
    with pytest.raises(ValueError, match="lies in no grid"):
        display.plot(figure.add_axes((0, 0, 1, 1)))


def test_the_mark_of_a_language_model_has_a_label_of_its_own(plt):
    model = LSTMLanguageModel(**SMALL).fit(["abc", "cab"])
    for make in (StateDisplay, SaliencyDisplay):
        plain = make.from_estimator(model, "abc")
        assert plain.labels == ["(start)", "a", "b", "c"]
        assert make.from_estimator(model, "abc", labels="xyz").labels == ["(start)", *"xyz"]
        begun = model.final_states(["c"])
        rest = make.from_estimator(model, "ab", labels="xy", initial_states=begun)
        assert rest.labels == ["x", "y"]
        with pytest.raises(ValueError, match="are 4 labels, but x has 3 time steps"):
            make.from_estimator(model, "abc", labels="wxyz")


def test_colours_that_cannot_be_leave_the_axes(plt, fitted):
    figure, ax = plt.subplots()
    for make in (StateDisplay, SaliencyDisplay):
        with pytest.raises(ValueError, match="zzz"):
            make.from_estimator(fitted, LONGEST, ax=ax, cmap="zzz")
        assert (figure.axes, ax.axison, len(ax.images)) == ([ax], True, 0)


@pytest.mark.parametrize("ax", ["x", 3])
def test_what_is_no_axes(plt, fitted, ax):
    curve = TrainingCurveDisplay.from_curves([[2, 1]])
    heat = SaliencyDisplay.from_estimator(fitted, LONGEST)
    maps = StateDisplay.from_estimator(fitted, LONGEST, kinds=["h", "c"])
    for draw in (curve.plot, heat.plot, maps.plot, lambda ax: maps.plot([ax, ax])):
        with pytest.raises(TypeError, match=f"ax is {ax!r}; expected .*matplotlib Axes"):
            draw(ax)


@pytest.mark.parametrize(
    "look, params, message",
    [
        (StateDisplay, dict(kinds=1), "kinds has type int; expected a list"),
        (StateDisplay, dict(labels=3), "labels has type int; expected a list"),
        (SaliencyDisplay, dict(feature_names=3), "feature_names has type int; expected a list"),
    ],
)
def test_what_is_no_list(plt, fitted, look, params, message):
    with pytest.raises(TypeError, match=message):
        look.from_estimator(fitted, LONGEST, **params)


@pytest.mark.parametrize(
    "params, message",
    [
        (dict(kinds=["h", "r"]), r"kinds holds 'r'; expected some of \['h', 'c', 'i'.*'gates'"),
        (dict(kinds=[["h"]]), r"kinds holds \['h'\]; expected some of"),
        (dict(kinds=[]), r"kinds is \[\]; expected some"),
        (dict(units=[6]), r"units is \[6\]; expected whole numbers from -6 to 5"),
        (dict(units=[0.5]), r"units is \[0.5\]; expected whole numbers"),
        (dict(units=[]), "expected"),
        (dict(labels=["a"]), "1 labels, but x has 12 time steps"),
        (dict(layer=3), "layer is 3"),
    ],
)
def test_states_that_cannot_be(plt, fitted, params, message):
    with pytest.raises(ValueError, match=message):
        StateDisplay.from_estimator(fitted, LONGEST, **params)
    assert not plt.get_fignums()
    plain = small(cell="rnn").fit(X, Y)
    with pytest.raises(ValueError, match=r"kinds holds 'gates'; expected some of \['h'\]"):
        StateDisplay.from_estimator(plain, LONGEST, kinds="gates")


# ---- saliency ------------------------------------------------------------------------------------


def test_the_gradient_is_drawn_as_it_is(plt, fitted):
    display = SaliencyDisplay.from_estimator(fitted, LONGEST, target=1, feature_names=list("xyz"))
    expected = saliency(fitted, LONGEST, target=1)
    np.testing.assert_array_equal(display.saliency, expected.gradient)
    np.testing.assert_array_equal(display.im_.get_array(), expected.gradient.T)
    assert (display.target, display.score, display.step) == (1, expected.score, None)
    assert names_along(display.ax_.yaxis) == ["x", "y", "z"]
    low, high = display.im_.get_clim()
    assert -low == high == np.abs(expected.gradient).max()
    assert display.ax_.get_title() == "gradient, target 1"
    display.figure_.canvas.draw()
    assert display.plot(display.ax_) is display


def test_symbols_of_a_tagger(plt):
    tagger = LSTMSequenceTagger(**SMALL, embedding_dim=3)
    tagger.fit(WORDS, [[w.upper() for w in word] for word in WORDS])
    display = SaliencyDisplay.from_estimator(tagger, ["c", "a", "b"], target="A", step=1)
    assert display.saliency.shape == (3, 1)
    assert names_along(display.ax_.xaxis) == ["c", "a", "b"]
    assert (display.method, display.features, display.step) == ("norm", [], 1)
    assert display.im_.get_clim()[0] == 0
    signed = SaliencyDisplay.from_estimator(tagger, ["c", "a", "b"], method="times_input")
    assert (signed.saliency.shape, signed.features) == ((3, 1), [])
    whole = SaliencyDisplay.from_estimator(tagger, ["c", "a", "b"], method="gradient")
    assert (whole.saliency.shape, whole.features) == ((3, 3), [0, 1, 2])


def test_columns_of_a_data_frame_name_the_features(plt):
    pd = pytest.importorskip("pandas")
    named = small(bidirectional=True).fit([pd.DataFrame(x, columns=list("xyz")) for x in X], Y)
    frame = pd.DataFrame(LONGEST, columns=["x", "y", "z"])
    assert SaliencyDisplay.from_estimator(named, frame).features == ["x", "y", "z"]
    assert SaliencyDisplay.from_estimator(named, frame, method="norm").features == []
    scaled = make_pipeline(PerStep(StandardScaler()), small()).fit(X, Y)
    assert SaliencyDisplay.from_estimator(scaled, LONGEST).features == [0, 1, 2]


def test_one_feature_has_a_name_and_a_constant_prediction_no_colours(plt):
    table = np.random.default_rng(0).standard_normal((20, 4))
    model = small().fit(table, table[:, 0] > 0)
    assert SaliencyDisplay.from_estimator(model, table[0]).features == [0]
    model.parameters_["output.W"][:] = 0
    display = SaliencyDisplay.from_estimator(model, table[0])
    assert not display.saliency.any()
    assert display.im_.get_clim() == (-1, 1)


def test_saliency_that_cannot_be(plt, fitted):
    with pytest.raises(ValueError, match="2 feature_names, but 3 features"):
        SaliencyDisplay.from_estimator(fitted, LONGEST, feature_names=["x", "y"])
    with pytest.raises(ValueError, match="target is 9"):
        SaliencyDisplay.from_estimator(fitted, LONGEST, target=9)
    assert not plt.get_fignums()


ODD = ["$\\bad{$", "$a_$", "$5-$10"]  # the last is a formula that can be set, the others cannot


def test_names_are_no_formulas(plt):
    words = [[ODD[0], "b", ODD[1]], [ODD[2]], ["b", ODD[0]]] * 4
    model = small(embedding_dim=3)
    model.fit(words, ODD * 4, X_val=words, y_val=ODD * 4)
    table = small().fit(X, Y)
    shown = [SaliencyDisplay.from_estimator(model, words[0], target=target).ax_ for target in ODD]
    shown.append(SaliencyDisplay.from_estimator(table, LONGEST, feature_names=ODD).ax_)
    shown.append(StateDisplay.from_estimator(model, words[0], labels=ODD).axes_[-1])
    shown.append(TrainingCurveDisplay.from_estimators([model, table], names=ODD[:2]).score_ax_)
    for ax in shown:
        ax.figure.canvas.draw()
        ax.figure.canvas.draw()  # ticks are laid out anew
        texts = [ax.title, *ax.get_xticklabels(), *ax.get_yticklabels()]
        texts += ax.get_legend().get_texts() if ax.get_legend() else []
        assert any("$" in text.get_text() for text in texts)
        assert not any(text.get_parse_math() for text in texts if "$" in text.get_text())


@pytest.mark.parametrize("norm", ["LogNorm", "Normalize", "log"])
def test_a_norm_has_its_own_range(plt, fitted, norm):
    from matplotlib import colors

    norm = getattr(colors, norm)(0.125, 0.5) if hasattr(colors, norm) else norm
    for display in (
        SaliencyDisplay.from_estimator(fitted, LONGEST, method="norm", im_kw=dict(norm=norm)),
        StateDisplay.from_estimator(fitted, LONGEST, kinds="f", im_kw=dict(norm=norm)),
    ):
        display.figure_.canvas.draw()
        image = display.im_ if hasattr(display, "im_") else display.images_[0]
        assert image.norm is norm or norm == "log"
        assert image.get_clim() == (0.125, 0.5) or norm == "log"


# ---- all -----------------------------------------------------------------------------------------

MADE = {
    "curve": lambda model: TrainingCurveDisplay.from_estimator(model),
    "states": lambda model: StateDisplay.from_estimator(model, LONGEST),
    "saliency": lambda model: SaliencyDisplay.from_estimator(model, LONGEST),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
def test_data_can_be_pickled_and_drawn_again(plt, fitted, make):
    display = make(fitted)
    given = {name: value for name, value in vars(display).items() if not name.endswith("_")}
    again = type(display)(**pickle.loads(pickle.dumps(given))).plot()
    assert again.figure_ is not display.figure_


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
def test_without_matplotlib(monkeypatch, fitted, make):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = r'Display.from_\w+ requires matplotlib.*pip install "seqlearn_lstm\[plot\]"'
    with pytest.raises(ImportError, match=told):
        make(fitted)
    empty = StateDisplay(activations={}, labels=[], units=[])
    with pytest.raises(ImportError, match=r"StateDisplay\.plot requires matplotlib"):
        empty.plot()


def test_scores_may_be_arrays(plt):
    scores = np.array([[0.5, 0.6], [0.4, 0.7]])
    display = TrainingCurveDisplay(
        loss_curves=[[2, 1], [3, 2]], validation_scores=scores, names=np.array(["one", "other"])
    ).plot()
    assert len(display.score_ax_.lines) == 2


def test_several_curves_joined(plt):
    losses = [[3.0, 2.0], [2.0, 1.0], [1.0, 0.5, 0.4]]
    joined = TrainingCurveDisplay.from_curves(losses, best_iters=[1, 1, 2], joined=True)
    assert joined.best_iters == [6]
    places = {float(line.get_xdata()[0]) for line in joined.ax_.lines}
    assert {2.5, 4.5} <= places
