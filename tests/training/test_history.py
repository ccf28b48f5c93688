from geolatent.training import History


def test_epochs_and_best_epoch():
    history = History(loss=[3.0, 2.0, 1.0, 0.5], validation_loss=[3.0, 1.0, 1.0, 2.0])
    assert history.epochs == 4
    assert history.best_epoch == 2
    assert History().epochs == 0
    assert History().best_epoch is None


def test_time_does_not_count_in_comparisons():
    assert History(loss=[1.0], seconds=1.0) == History(loss=[1.0], seconds=2.0)
    assert History(loss=[1.0]) != History(loss=[2.0])
