import pytest
import torch

from geolatent.linalg.last_derivative import last_derivative


def guarded_square(x):
    first, _ = last_derivative("no second derivative: detach() it", x, 2 * x)
    return first * x


def test_values_pass_unchanged():
    x = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    first, second = last_derivative("refused", x, 2 * x)
    assert torch.equal(first, x)
    assert torch.equal(second, 2 * x)
    assert torch.equal(torch.func.vmap(guarded_square)(x), x.square())


def test_reverse_mode_raises_the_message():
    x = torch.tensor(2.0, requires_grad=True)
    with pytest.raises(NotImplementedError, match=r"no second derivative: detach\(\) it"):
        torch.autograd.grad(guarded_square(x), x)
    with pytest.raises(NotImplementedError, match="no second derivative"):
        torch.func.vmap(torch.func.grad(guarded_square))(torch.ones(3))


def test_forward_mode_is_nan():
    x = torch.tensor(2.0)
    assert torch.func.jvp(guarded_square, (x,), (torch.ones(()),))[1].isnan()
    assert torch.func.jacfwd(guarded_square)(x).isnan()


def test_what_is_not_differentiated_stays_usable():
    x, y = torch.tensor(2.0), torch.tensor(3.0, requires_grad=True)
    (kept,) = last_derivative("refused", x)
    assert torch.autograd.grad(kept * y, y)[0] == 2
