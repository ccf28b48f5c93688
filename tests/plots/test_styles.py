from geolatent.plots import line_styles

NAMES = [f"set {k}" for k in range(11)]


def test_eleven_lines_differ_in_marker_and_in_colour_or_dash():
    styles = line_styles(NAMES, emphasised="set 3")
    assert list(styles) == NAMES
    assert len({style.marker for style in styles.values()}) == 11
    assert len({(style.color, style.linestyle) for style in styles.values()}) == 11


def test_the_emphasised_line_is_thick_and_black():
    styles = line_styles(NAMES, emphasised="set 3")
    assert styles["set 3"].color == "black"
    assert styles["set 3"].linewidth > max(styles[name].linewidth for name in NAMES if name != "set 3")
