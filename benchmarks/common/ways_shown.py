"""What `leco.bench` measured of ways to answer, as a page shows it."""

from leco.bench.measure import CONTROL
from leco.reproduction.tables import markdown


def ways_table(rows, metric):
    """All that was measured of each way at each batch size."""
    lines = [
        [
            row["way"],
            str(row["batch_size"]),
            f"{row['score']:.1%}",
            f"{row['layers']:.0%}",
            *(f"{row[name]:.2f}" for name in ("median_ms", "p90_ms", "p99_ms")),
            f"{row['texts_per_second']:.0f}",
            f"{row['ratio']:.2f} ({row['ratio_low']:.2f}-{row['ratio_high']:.2f})",
        ]
        for row in rows
    ]
    return markdown(["way", "batch size", metric, "layers", "median ms", "p90", "p99", "texts/s", "time"], lines)


def at_batch_size(found, size):
    """By way, the rows of a batch size without the control."""
    return {row["way"]: row for row in found["ways"] if row["batch_size"] == size and row["way"] != CONTROL}
