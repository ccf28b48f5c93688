from matplotlib.figure import Figure

from geolatent.plots import curves, line_styles


def test_draws_one_line_a_series_and_returns_the_axes():
    axes = Figure().subplots()
    series = {"a": [1.0, 2.0], "b": [3.0, 5.0]}
    drawn = curves(axes, [2, 4], series, line_styles(["a", "b"]), spread={"b": ([2.0, 4.0], [4.0, 6.0])})
    assert drawn is axes
    assert {line.get_label(): list(line.get_ydata()) for line in axes.lines} == series
    assert len(axes.collections) == 1
    assert list(axes.get_xticks()) == [2, 4]


def test_writes_every_second_tick_of_a_long_abscissa():
    axes = curves(Figure().subplots(), range(2, 21), {"a": range(19)}, line_styles(["a"]))
    assert list(axes.get_xticks()) == list(range(2, 21, 2))
