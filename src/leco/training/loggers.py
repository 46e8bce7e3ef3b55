"""What a training can report to, beside what it says itself."""

from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK, get_available_reporting_integrations

from leco.errors import LecoError, parameter, unknown_name


def check_logger(name: str) -> None:
    """Raise LecoError unless Transformers' Trainer can report to `name`, which it finds out only when it is made."""
    if name in ("none", "all"):
        return
    if name not in INTEGRATION_TO_CALLBACK:
        raise unknown_name(f"logger ({parameter('report_to')})", name, ["none", "all", *INTEGRATION_TO_CALLBACK])
    if name not in get_available_reporting_integrations():
        package = name.replace("_", "-")
        raise LecoError(
            f"{parameter('report_to')} {name} needs a package that is not installed: pip install {package}."
        )
