"""What a service of ours says about itself on /metrics, and the difference between two such answers."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

Buckets = Mapping[float, float]
"""How many observations were at most this large (cumulative)."""


class Metrics(NamedTuple):
    """One answer: sums over labels by name, and the buckets of histograms."""

    values: Mapping[str, float]
    buckets: Mapping[str, Buckets]

    @classmethod
    def of(cls, url: str) -> Self:
        """Ask the service at this address."""
        values: dict[str, float] = {}
        buckets: dict[str, dict[float, float]] = {}
        for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=10).text):
            for sample in family.samples:
                if "le" in sample.labels:
                    buckets.setdefault(family.name, {})[float(sample.labels["le"])] = sample.value
                else:
                    values[sample.name] = values.get(sample.name, 0) + sample.value
        return cls(values, buckets)

    def since(self, earlier: Self, name: str) -> float:
        """By how much a value has grown."""
        return self.values[name] - earlier.values[name]

    def quantile_since(self, earlier: Self, name: str, share: float) -> float:
        """The value below which this share of the observations since then lies, as Prometheus estimates it."""
        before, after = earlier.buckets[name], self.buckets[name]
        return quantile({bound: after[bound] - before[bound] for bound in after}, share)


def quantile(buckets: Buckets, share: float) -> float:
    """Interpolated within its bucket; the last finite bound when it lies above (Prometheus' histogram_quantile).

    Raises:
        ValueError: there is no observation.
    """
    bounds = sorted(buckets)
    wanted = buckets[bounds[-1]] * share
    if not wanted:
        raise ValueError("expected observations, got none")
    lower, below = 0.0, 0.0
    for bound in bounds[:-1]:
        if buckets[bound] >= wanted:
            return lower + (bound - lower) * (wanted - below) / (buckets[bound] - below)
        lower, below = bound, buckets[bound]
    return lower
