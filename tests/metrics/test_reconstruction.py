import pytest
import torch
from sklearn.metrics import mean_squared_error

from geolatent.metrics import reconstruction_error


def test_is_the_mean_squared_error_of_each_sample():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 5, 3, 4, generator=generator, dtype=torch.float64)
    expected = [mean_squared_error(a.flatten(), b.flatten()) for a, b in zip(x, y, strict=True)]
    torch.testing.assert_close(reconstruction_error(x, y), torch.tensor(expected, dtype=torch.float64))


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"reconstructions must have the shape of inputs, \(2, 3\); got \(2, 4\)"):
        reconstruction_error(torch.zeros(2, 3), torch.zeros(2, 4))
