import base64
import io
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from geolatent.report import OutputError, StudyResult, write


def make_result(name="a_study", summary="It was <found> & seen."):
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    return StudyResult(
        name=name,
        title=f"Title of {name}",
        paper="A. Author: A paper <script>alert(1)</script>.",
        summary=summary,
        config={"epochs": 3, "latent_dims": [2, 4]},
        tables={"numbers": pd.DataFrame({"d": [2, 4], "value": [0.123456789, float("nan")]})},
        figures={"figure_1": figure},
        captions={"figure_1": "Figure 1. A line.", "numbers": "Some numbers."},
        verdicts=pd.DataFrame(
            [["A claim", "Abstract", "in 1 of 1 cases", "not tested at this scale"]],
            columns=["claim", "paper", "ours", "verdict"],
        ),
        deviations=["We did otherwise."],
        seconds={"training": 90.0},
    )


class Resources(HTMLParser):
    """Collects everything that a browser would load, and the anchors of the page."""

    def __init__(self):
        super().__init__()
        self.loaded, self.ids, self.targets = [], set(), []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids.add(values.get("id"))
        self.loaded += [values[key] for key in ("src", "srcset", "data", "poster") if key in values]
        if tag in ("link", "script", "iframe", "object"):
            self.loaded.append(f"<{tag}>")
        if tag == "a":
            self.targets.append(values["href"])


@pytest.fixture
def page(tmp_path):
    return write(make_result(), tmp_path).read_text()


def test_loads_nothing_from_elsewhere(page):
    resources = Resources()
    resources.feed(page)
    assert resources.loaded
    assert all(source.startswith("data:image/png;base64,") for source in resources.loaded)
    assert not re.search(r"@import|url\(|https?://", page)


def test_contents_lead_to_sections_of_the_page(page):
    resources = Resources()
    resources.feed(page)
    assert resources.targets
    assert {target.removeprefix("#") for target in resources.targets} <= resources.ids


def test_embedded_images_are_the_figures(page, tmp_path):
    (encoded,) = re.findall(r"data:image/png;base64,([^\"]+)", page)
    content = base64.b64decode(encoded, validate=True)
    assert imread(io.BytesIO(content)).shape[2] == 4
    assert content == (tmp_path / "a_study" / "figure_1.png").read_bytes()


def test_text_is_escaped(page):
    assert "It was &lt;found&gt; &amp; seen." in page
    assert "<script>" not in page


def test_says_configuration_versions_and_run_time(page):
    import torch

    for text in ("2, 4", "90.0 s", torch.__version__, "instruction set", "We did otherwise.", "0.1235", "–"):
        assert text in page


def test_tables_become_csv(page, tmp_path):
    table = pd.read_csv(tmp_path / "a_study" / "numbers.csv")
    pd.testing.assert_frame_equal(table, make_result().tables["numbers"])
    verdicts = pd.read_csv(tmp_path / "a_study" / "verdicts.csv")
    assert list(verdicts.columns) == ["claim", "paper", "ours", "verdict"]


def test_several_studies_share_a_page(tmp_path):
    page = write([make_result("one"), make_result("two")], tmp_path).read_text()
    assert page.index("Title of one") < page.index("Title of two")
    assert (tmp_path / "two" / "figure_1.png").exists()


def test_no_temporary_file_is_left(page, tmp_path):
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "figure_1.png",
        "index.html",
        "numbers.csv",
        "verdicts.csv",
    ]


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="out must be a writable folder"):
        write(make_result(), tmp_path / "file")
