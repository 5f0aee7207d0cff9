"""One file for each part of the table. Each has `measure(folder, quick) -> list[Row]` and brings up what it needs."""
