"""Counters and timings of a server, in Prometheus's text format."""

import bisect
import time
from collections import Counter, defaultdict
from collections.abc import Callable

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class _Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def note(self, value: float) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, name: str, labels: str) -> list[str]:
        found, total = [], 0
        for bound, count in zip([*map(_number, self.bounds), "+Inf"], self.counts, strict=True):
            total += count
            found.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
        return [*found, f"{name}_sum{{{labels}}} {self.sum!r}", f"{name}_count{{{labels}}} {total}"]


class Metrics:
    """What a server has done since it started. Labels are its models and routes, so that no request can add one."""

    def __init__(self) -> None:
        self.started = time.time()
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds: dict[str, _Histogram] = defaultdict(lambda: _Histogram(SECONDS))
        self.rows: dict[str, _Histogram] = defaultdict(lambda: _Histogram(ROWS))
        self.batched: Counter[str] = Counter()
        self.waiting: dict[str, Callable[[], int]] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self.requests[route, status] += 1
        self.seconds[route].note(seconds)

    def batch(self, model: str, rows: int, requests: int) -> None:
        """Count a computed batch."""
        self.rows[model].note(rows)
        self.batched[model] += requests

    def text(self) -> str:
        """Return all metrics in Prometheus's text format 0.0.4."""
        lines = _head("cornu_start_time_seconds", "gauge", "When the server started, in seconds since 1970.")
        lines.append(f"cornu_start_time_seconds {self.started!r}")
        lines += _head("cornu_requests_total", "counter", "Requests answered, by route and HTTP status.")
        for (route, status), count in sorted(self.requests.items()):
            lines.append(f'cornu_requests_total{{route="{route}",status="{status}"}} {count}')
        lines += _head("cornu_request_seconds", "histogram", "Seconds from a request's head to its answer.")
        for route, histogram in sorted(self.seconds.items()):
            lines += histogram.lines("cornu_request_seconds", f'route="{route}"')
        lines += _head("cornu_batch_rows", "histogram", "Rows in the batches computed.")
        for model, histogram in sorted(self.rows.items()):
            lines += histogram.lines("cornu_batch_rows", f'model="{model}"')
        lines += _head("cornu_batched_requests_total", "counter", "Requests in the batches computed.")
        lines += [f'cornu_batched_requests_total{{model="{model}"}} {n}' for model, n in sorted(self.batched.items())]
        lines += _head("cornu_waiting_rows", "gauge", "Rows waiting to be computed.")
        lines += [f'cornu_waiting_rows{{model="{model}"}} {ask()}' for model, ask in sorted(self.waiting.items())]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _number(value: float) -> str:
    return f"{value:g}"
