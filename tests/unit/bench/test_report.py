from bench.figures import Row
from bench.report import page, table

ROWS = [
    Row("calls/s", 0.9, 0.85, detail="R1 100, Us 90", how="steps", least=True),
    Row("p99", 61.234, 50, "ms", how="stamps"),
    Row("p50", 3, 10, "ms", how="stamps"),
]


def test_table():
    head, first, second, _ = table(ROWS).splitlines()
    assert head.split() == ["figure", "target", "value", "measured"]
    assert first.split() == ["calls/s", "≥", "0.85", "0.9", "met", "R1", "100,", "Us", "90"]
    assert second.split() == ["p99", "≤", "50", "ms", "61.2", "ms", "missed"]


def test_page():
    text = page(ROWS, {"CPU": "8 cores"}, "make bench", 12.4, 5)
    assert "| CPU | 8 cores |" in text
    assert "| p99 | ≤ 50 ms | 61.2 ms | missed |  |" in text
    assert "- p99, p50: stamps." in text
    assert "`make bench` in 12 minutes" in text
