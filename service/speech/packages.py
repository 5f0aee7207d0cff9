"""Which Python packages are here, without importing them."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec


def lacking(*modules: str) -> str | None:
    """The first of `modules` that is not installed, in words; None where all are."""
    absent = next((module for module in modules if find_spec(module) is None), None)
    return absent and f"the Python package {absent} is not installed"


def version_of(package: str) -> str:
    """Its version; empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
