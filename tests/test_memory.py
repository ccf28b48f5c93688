import pytest

from geolatent._memory import budget_in_bytes, items_per_tile


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (4096, 4096),
        ("4096", 4096),
        ("2GiB", 2 * 2**30),
        ("500MB", 500 * 10**6),
        ("1.5 KiB", 1536),
        ("3kb", 3000),
        ("7 B", 7),
    ],
)
def test_budget_reads_numbers_and_units(text, size):
    assert budget_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1", -1, 0, "0MB", "2 gallons", "1e9", True, "2IB", 1.5])
def test_bad_budget_is_named(text):
    with pytest.raises(ValueError, match="max_memory"):
        budget_in_bytes(text)


def test_tile_fills_the_budget_and_no_more():
    assert items_per_tile(1000, 300, largest=10) == 3
    assert items_per_tile(1000, 10, largest=10) == 10
    with pytest.raises(ValueError, match="about 1001 bytes"):
        items_per_tile(1000, 1001, largest=10)
