"""The Hilbert embedding as a scikit-learn transformer."""

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from geolatent.embeddings.checks import require_distances, require_squared_dist, require_threshold
from geolatent.embeddings.coordinates import descending_eigh, hilbert_dimension
from geolatent.embeddings.kernels import centred_kernel, negative_mass
from geolatent.manifolds import Manifold


class HilbertEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Points of a Euclidean space whose distances are given, and where further points fall in it.

    .. math:: X = V_k \Lambda_k^{1/2}, \qquad -\tfrac12 J D^2 J = V \Lambda V^\top

    .. math:: x(p) = \Lambda_k^{-1/2} V_k^\top \kappa(p), \qquad \kappa_i(p) = -\tfrac12 \bigl( d^2(p, p_i)
              - \overline{d^2}(p) - \overline{d^2}(p_i) + \overline{d^2} \bigr)

    with the means :math:`\overline{d^2}` over the fitted points, of one or both arguments.
    Distances of curved manifolds are in general not those of a Hilbert space: the centred kernel then has negative
    eigenvalues, which are clipped. ``negative_mass_`` says how much was lost.

    Without a manifold, ``fit`` takes the squared distances of n points to each other, shape (n, n), and ``transform``
    those of m points to the n fitted ones, shape (m, n). With a manifold, both take points in the manifold's own form,
    batch shape (n,). Tensors give tensors, arrays give arrays, in their own floating type.

    Args:
        threshold: share of the positive spectrum that the kept dimensions hold, in (0, 1]; 1 keeps all.
        manifold: a manifold of geolatent.manifolds, or None for squared distances.

    Attributes:
        embedding_: coordinates of the fitted points, shape ``(n, dimension_)``.
        dimension_: the Hilbert dimension, number of leading eigenvalues that hold ``threshold``.
        eigenvalues_: all eigenvalues of the centred kernel, descending, shape (n,).
        negative_mass_: sum of the negative eigenvalues' moduli over the sum of the positive ones.
        n_features_in_: number n of fitted points.

    Raises:
        TypeError: by the methods, if tensors are not real floating point.
        ValueError: by the methods, if threshold is not in (0, 1], squared distances are negative, not symmetric, not
            finite or have a non-zero diagonal, or there are fewer than two points to fit.

    Accuracy:
        Squared distances between rows of ``embedding_`` with threshold 1 equal the given ones, where those are
        Euclidean, up to 100 n eps times the largest. Transforming the fitted points gives ``embedding_`` up to
        100 n eps times the largest distance, times the root of the first over the last kept eigenvalue.

    Source:
        [torgerson1952multidimensional]; further points [gower1968adding].

    >>> squared_dist = torch.tensor([[0.0, 9.0, 25.0], [9.0, 0.0, 16.0], [25.0, 16.0, 0.0]])
    >>> embedding = HilbertEmbedding(threshold=1.0).fit(squared_dist)
    >>> embedding.dimension_, torch.cdist(embedding.embedding_[:1], embedding.embedding_[1:])
    (2, tensor([[3.0000, 5.0000]]))
    """

    def __init__(self, threshold: float = 0.95, manifold: Manifold[Any] | None = None) -> None:
        self.threshold = threshold
        self.manifold = manifold

    @property
    def metric(self) -> str | None:
        """What scikit-learn calls the input: "precomputed" without a manifold."""
        return "precomputed" if self.manifold is None else None

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Embed points.

        Args:
            X: squared distances, shape (n, n); with a manifold, points of batch shape (n,).
            y: ignored.

        Returns:
            The estimator.
        """
        require_threshold(self.threshold)
        table = self._squared_dist(X, fitting=True)
        require_squared_dist("X", table)
        wide = table.detach().double().clamp_min(0).fill_diagonal_(0)
        values, vectors = descending_eigh(centred_kernel((wide + wide.mT) / 2))
        self.dimension_ = hilbert_dimension(values.to(table.dtype), self.threshold)
        self.negative_mass_ = negative_mass(values)
        kept = values[: self.dimension_]
        self._projector = vectors[:, : self.dimension_] / kept.sqrt()
        self._means = wide.mean(0)
        self.eigenvalues_ = self._as_given(X, values, table)
        self.embedding_ = self._as_given(X, self._projector * kept, table)
        self.n_features_in_ = len(table)
        return self

    def transform(self, X: Any) -> Any:
        """Coordinates of further points.

        Args:
            X: squared distances to the fitted points, shape (m, n); with a manifold, points of batch shape (m,).

        Returns:
            Coordinates, shape ``(m, dimension_)``.
        """
        check_is_fitted(self)
        table = self._squared_dist(X, fitting=False)
        wide = table.double()
        kernel = -(wide - wide.mean(1, keepdim=True) - self._means + self._means.mean()) / 2
        return self._as_given(X, kernel @ self._projector, table)

    def fit_transform(self, X: Any, y: None = None) -> Any:
        """Embed points and return their coordinates, without measuring distances twice.

        Args:
            X: as ``fit`` takes.
            y: ignored.

        Returns:
            ``embedding_``.
        """
        return self.fit(X, y).embedding_

    def _squared_dist(self, X: Any, fitting: bool) -> Tensor:
        if self.manifold is not None:
            if fitting:
                self._points = X
                return self.manifold.pairwise_dist(X).square()
            return self.manifold.pairwise_dist(X, self._points).square()
        if isinstance(X, tuple):
            raise TypeError(
                f"X must be a table of squared distances; got a tuple of {len(X)}: give HilbertEmbedding the manifold "
                "that its points lie on, or manifold.pairwise_dist(X).square()"
            )
        if not isinstance(X, Tensor):
            accepted = {"dtype": (np.float64, np.float32), "ensure_non_negative": True}
            X = torch.tensor(validate_data(self, X, reset=fitting, ensure_min_samples=1 + fitting, **accepted))
        if not fitting:
            self._require_distances_to_fitted(X)
        return X

    def _require_distances_to_fitted(self, X: Tensor) -> None:
        require_distances("X", X)
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X must have shape (m, {self.n_features_in_}); got {tuple(X.shape)}: squared distances to the "
                "fitted points"
            )

    def _as_given(self, X: Any, result: Tensor, table: Tensor) -> Any:
        """The result in the floating type of the distances; an array where they came as an array."""
        result = result.to(table.dtype)
        return result if self.manifold is not None or isinstance(X, Tensor) else result.numpy()

    @property
    def _n_features_out(self) -> int:
        return self.dimension_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = tags.input_tags.positive_only = self.manifold is None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
