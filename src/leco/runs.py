"""The former name of `leco.run_folder` and `leco.environment`."""

from leco.renamed import renamed

FOLDER = ("SETTINGS", "check_folder", "claim", "fingerprint", "run_settings", "trained_on")

__getattr__ = renamed(
    __name__,
    {name: f"leco.run_folder.{name}" for name in FOLDER}
    | {name: f"leco.environment.{name}" for name in ("machine", "versions")},
)
