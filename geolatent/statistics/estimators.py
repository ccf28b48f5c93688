"""k-means and principal components on a manifold, with the interface of scikit-learn's estimators."""

from numbers import Integral
from typing import Any, Self

from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor

from geolatent.manifolds import Manifold
from geolatent.manifolds.components import map_components
from geolatent.statistics.kmeans import kmeans
from geolatent.statistics.tangent_pca import tangent_pca
from geolatent.statistics.tangent_vectors import as_rows, from_rows, lowered


class RiemannianKMeans(ClusterMixin, TransformerMixin, BaseEstimator):
    r"""Clusters of least sum of squared geodesic distances to their Frechet means.

    .. math:: \min_{c_1, \dots, c_k} \sum_{i=1}^{N} \min_j d^2(x_i, c_j)

    The estimator of :func:`kmeans`, which describes the method. Points come in the manifold's own form, of batch shape
    (N,); what comes back are tensors.

    Args:
        manifold: where the points lie.
        n_clusters: number of clusters.
        n_init: number of starts, of which the best result is kept.
        max_iter: largest number of rounds a start.
        random_state: source of the starts: a ``torch.Generator``, the seed of one, or None for torch's default.

    Attributes:
        cluster_centers_: Frechet means, points of batch shape (n_clusters,).
        labels_: cluster of each fitted point, shape (N,).
        inertia_: sum of the squared distances to the centers.
        n_iter_: rounds of the best start.

    Source:
        Start [arthur2007kmeans].

    >>> import torch
    >>> from geolatent.manifolds import DiagonalGaussian, UnivariateGaussians
    >>> points = DiagonalGaussian(torch.tensor([[-9.0], [-8.0], [8.0], [9.0]]), torch.ones(4, 1))
    >>> estimator = RiemannianKMeans(UnivariateGaussians(), 2, random_state=0).fit(points)
    >>> estimator.cluster_centers_.loc.squeeze(1).sort().values
    tensor([-8.5000,  8.5000])
    """

    def __init__(
        self,
        manifold: Manifold[Any],
        n_clusters: int = 8,
        *,
        n_init: int = 1,
        max_iter: int = 100,
        random_state: int | Generator | None = None,
    ) -> None:
        self.manifold = manifold
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find clusters.

        Args:
            X: points, batch shape (N,).
            y: ignored.

        Returns:
            The estimator.
        """
        found = kmeans(
            self.manifold,
            X,
            self.n_clusters,
            n_init=self.n_init,
            max_iter=self.max_iter,
            generator=_generator(self.random_state),
        )
        self.cluster_centers_ = found.centers
        self.labels_ = found.labels
        self.inertia_ = found.inertia
        self.n_iter_ = found.iterations
        return self

    def transform(self, X: Any) -> Tensor:
        """Distances (M, n_clusters) of points, batch shape (M,), to the centers."""
        check_is_fitted(self)
        return self.manifold.pairwise_dist(X, self.cluster_centers_)

    def predict(self, X: Any) -> Tensor:
        """Labels (M,) of points, batch shape (M,): their nearest centers."""
        return self.transform(X).argmin(1)


class TangentPCA(TransformerMixin, BaseEstimator):
    r"""Principal component analysis in the tangent space at the Frechet mean, orthogonal in the metric.

    .. math:: s_{ij} = \langle \log_{\bar x} x_i - \bar v, \, u_j \rangle_{\bar x}

    The estimator of :func:`tangent_pca`, which describes the method. Points come in the manifold's own form, of batch
    shape (N,); scores are tensors.

    Args:
        manifold: where the points lie.
        n_components: number of components; all that vary if None.
        base_point: where to take logarithms, one point; the Frechet mean if None.

    Attributes:
        base_point_: where the tangent space touches.
        components_: principal directions, orthonormal in the metric: tangent vectors of batch shape
            ``(n_components_,)``.
        offset_: mean of the logarithms, a tangent vector; zero at the Frechet mean.
        explained_variance_: variances of the scores, divisor N - 1.
        explained_variance_ratio_: their shares of the whole variance.
        n_components_: number of components, at most the dimensions that the logarithms span.

    Source:
        [fletcher2004principal].

    >>> import torch
    >>> from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians
    >>> points = DiagonalGaussian(torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), torch.ones(3, 2))
    >>> TangentPCA(DiagonalGaussians(2), 1).fit_transform(points).shape
    torch.Size([3, 1])
    """

    def __init__(self, manifold: Manifold[Any], n_components: int | None = None, *, base_point: Any = None) -> None:
        self.manifold = manifold
        self.n_components = n_components
        self.base_point = base_point

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the principal directions.

        Args:
            X: points, batch shape (N,), N at least 2.
            y: ignored.

        Returns:
            The estimator.
        """
        found = tangent_pca(self.manifold, X, self.n_components, base_point=self.base_point)
        self.base_point_ = found.base_point
        self.components_ = found.components
        self.offset_ = found.offset
        self.explained_variance_ = found.explained_variance
        self.explained_variance_ratio_ = found.explained_variance_ratio
        self.n_components_ = len(found.explained_variance)
        return self

    def transform(self, X: Any) -> Tensor:
        """Scores ``(M, n_components_)`` of points, batch shape (M,)."""
        check_is_fitted(self)
        logs = self.manifold.log(X, self.base_point_)
        centred = as_rows(map_components(lambda x, mean: x - mean, logs, self.offset_), self.manifold.event_ndims)
        return centred @ lowered(self.manifold, self.components_, self.base_point_).mT

    def inverse_transform(self, X: Tensor) -> Any:
        """Points at the ends of the geodesics that scores ``(M, n_components_)`` describe."""
        check_is_fitted(self)
        if X.ndim != 2 or X.shape[1] != self.n_components_:
            raise ValueError(
                f"X must have shape (M, {self.n_components_}); got {tuple(X.shape)}: give scores, of transform"
            )
        rows = X @ as_rows(self.components_, self.manifold.event_ndims)
        vectors = map_components(lambda x, mean: x + mean, from_rows(rows, self.base_point_), self.offset_)
        return self.manifold.exp(vectors, self.base_point_)


def _generator(random_state: int | Generator | None) -> Generator | None:
    if random_state is None or isinstance(random_state, Generator):
        return random_state
    if not isinstance(random_state, Integral):
        came = type(random_state).__name__
        raise TypeError(f"random_state must be an integer, a torch.Generator or None; got {came}: give a seed")
    return Generator().manual_seed(int(random_state))
