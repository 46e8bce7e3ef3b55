"""A run before it begins: its settings, its encoder, its data and its folder, checked before anything is written."""

from leco.preparation.job import Job, open_job

__all__ = ["Job", "open_job"]
