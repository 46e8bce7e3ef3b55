"""Scripts behind docs/results.md and docs/methods.md; see README.md."""
