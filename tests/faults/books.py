"""What a server's metrics say, and whether they agree with each other."""

from prometheus_client.parser import text_string_to_metric_families

from tests.serving.running import Running

STATUSES = {
    "InvalidRequest": "INVALID_ARGUMENT",
    "NotServed": "NOT_FOUND",
    "Overloaded": "RESOURCE_EXHAUSTED",
    "Unavailable": "UNAVAILABLE",
    "EngineFailed": "INTERNAL",
}
"""What a caller gets for each reason of a rejection. (A deadline may pass in gRPC as well, which rejects nothing.)"""


class Books:
    """One scrape of a server's metrics."""

    def __init__(self, server: Running) -> None:
        families = text_string_to_metric_families(server.http("/metrics")[0])
        self._samples = [sample for family in families for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that have these labels."""
        return sum(sample.value for sample in self._named(name, labels))

    def calls(self, **labels: str) -> float:
        """How many requests came to an end."""
        return self.total("tencrop_request_duration_seconds_count", **labels)

    def check(self) -> None:
        """Fails where two metrics tell different stories of requests to single models."""
        assert self.total("tencrop_predictions_total") == self.calls(status="OK")
        for reason, status in STATUSES.items():
            assert self.total("tencrop_rejections_total", reason=reason) == self.calls(status=status), reason
        known = {"OK", "CANCELLED", "DEADLINE_EXCEEDED", *STATUSES.values()}
        assert sum(self.calls(status=status) for status in known) == self.calls()
        assert self.total("tencrop_queue_rows") == 0
        self._check_rows()

    def _check_rows(self) -> None:
        crops = self._named("tencrop_request_duration_seconds_count", {"status": "OK"})
        if not all(sample.labels["views"].isdecimal() for sample in crops):
            return  # boxes may be of any number
        answered = sum(int(sample.labels["views"]) * sample.value for sample in crops)
        failed = self.calls(status="INTERNAL")  # whose requests are for one view each
        for_nobody = self.total("tencrop_rows_for_nobody_total")
        assert self.total("tencrop_batch_rows_sum") == answered + failed + for_nobody

    def _named(self, name: str, labels: dict[str, str]) -> list:
        return [sample for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()]
