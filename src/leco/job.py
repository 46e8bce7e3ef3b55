"""The former name of `leco.preparation`."""

from leco.renamed import renamed

__getattr__ = renamed(
    __name__,
    {
        "LEARNED": "leco.settings.LEARNED",
        "Job": "leco.preparation.Job",
        "given_architectures": "leco.preparation.encoder.given_architectures",
        "open_job": "leco.preparation.open_job",
    },
)
