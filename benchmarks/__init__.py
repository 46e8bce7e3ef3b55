"""Scripts that time; see README.md."""
