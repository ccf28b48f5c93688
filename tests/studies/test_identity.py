import hashlib

import torch

from geolatent.studies._identity import content_digest, generator_for


def test_digest_is_the_sha256_of_canonical_json():
    canonical = b'{"epochs":3,"hidden":[2,1]}'
    assert content_digest({"hidden": [2, 1], "epochs": 3}) == hashlib.sha256(canonical).hexdigest()


def test_generators_are_reproducible_and_apart():
    def draw(*parts):
        return torch.rand(4, generator=generator_for(*parts))

    assert torch.equal(draw("weights", 2, 0), draw("weights", 2, 0))
    assert not torch.equal(draw("weights", 2, 0), draw("weights", 2, 1))
    assert not torch.equal(draw("weights", 2, 0), draw("batches", 2, 0))
