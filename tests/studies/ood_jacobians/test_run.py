import os

import pytest

from geolatent import datasets
from geolatent.studies import ood_jacobians

FIGURES = [f"figure_{k}" for k in range(1, 8)] + ["table_I", "table_II"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The smoke preset from data to report, and the folder of its report."""
    out = tmp_path_factory.mktemp("report")
    return ood_jacobians.run(preset="smoke", out=out), out


@pytest.fixture
def no_page(monkeypatch):
    """Leaves out figures and page, which take most of a small run's time."""
    monkeypatch.setattr(ood_jacobians, "draw_figures", lambda *_: {})
    monkeypatch.setattr("geolatent.report.write", lambda *_: None)


def test_all_figures_exist_with_labelled_axes_and_captions(smoke):
    result, _ = smoke
    assert list(result.figures) == FIGURES
    for name in FIGURES:
        assert result.captions[name]
    for name in ("figure_1", "figure_7"):
        (axes,) = result.figures[name].axes
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    for name in ("figure_2", "figure_4", "figure_5"):
        axes = result.figures[name].axes
        assert all(one.get_ylabel() for one in axes[::2])
        assert all(one.get_xlabel() for one in axes[-2:])
        assert all(len(one.lines) == 11 for one in axes)
    for name in ("figure_3", "figure_6"):
        figure = result.figures[name]
        assert figure.get_supxlabel()
        assert figure.get_supylabel()
        assert sum(bool(one.get_title()) for one in figure.axes) == 11


def test_tables_have_a_row_for_every_model_and_set(smoke):
    result, _ = smoke
    statistics = result.tables["statistics"]
    assert len(statistics) == 2 * 11
    assert set(statistics["set"]) == {"digits", *datasets.RANDOM_PIXELS}
    assert list(result.tables["detection"]["set"]) == list(datasets.RANDOM_PIXELS)
    assert list(result.tables["models"]["d"]) == [2, 3]
    assert len(result.tables["theorem"]) == 2 * 2
    random = statistics[statistics["set"] != "digits"]
    assert random.filter(like="AUROC").notna().all(axis=None)
    assert statistics.filter(like="mean").gt(0).all(axis=None)


def test_theorem_holds_and_untrained_claims_are_not_judged(smoke):
    verdicts = smoke[0].verdicts.set_index("claim")["verdict"]
    assert len(verdicts) == 8
    assert verdicts.iloc[-1] == "agrees"
    assert (verdicts.iloc[[1, 4]] == "not tested at this scale").all()


def test_only_what_a_change_affects_is_computed_again(smoke, no_page):
    _, out = smoke
    before = set((out / "cache").rglob("*.safetensors"))
    models = set((out / "cache" / "ood_jacobians" / "models").iterdir())
    ood_jacobians.run(preset="smoke", out=out, random_images=20)
    assert set((out / "cache" / "ood_jacobians" / "models").iterdir()) == models
    assert len(set((out / "cache").rglob("*.safetensors")) - before) == 2
    ood_jacobians.run(preset="smoke", out=out, latent_dims=(2,), epochs=2)
    assert len(set((out / "cache" / "ood_jacobians" / "models").iterdir()) - models) == 1


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("GEOLATENT_DATA"), reason="GEOLATENT_DATA names no folder with the data")
def test_mnist_is_compared_with_fashion_mnist():
    result = ood_jacobians.run(preset="smoke", dataset="mnist", latent_dims=(2,), epochs=1)
    assert list(result.tables["detection"]["set"]) == [*datasets.RANDOM_PIXELS, "fashion-mnist"]
    assert len(result.tables["statistics"]) == 12
    assert len(result.figures["figure_1"].axes[0].lines) == 11
