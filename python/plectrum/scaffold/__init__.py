"""``plectrum new``: a project that runs as it is. ``files`` has what is written."""

from __future__ import annotations

import keyword
import secrets
from pathlib import Path
from string import Template

from plectrum.errors import ConfigurationError

from .files import FILES

__all__ = ["create"]


def create(name: str, parent: Path) -> Path:
    """Writes a Django project with one model, its API and its tests.

    Parameters:
        name: of the project and of its package: a Python name.
        parent: the directory it is made in.

    Returns:
        The project's directory.

    Errors:
        ConfigurationError: the name is none for a package, or the directory exists.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name in _TAKEN:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a Python package. Take letters, digits and underscores, such as 'shop'."
        )
    directory = parent / name
    if directory.exists():
        raise ConfigurationError(f"{directory} exists already. Choose another name, or remove it.")
    values = {"name": name, "secret": secrets.token_urlsafe(50)}
    for path, text in FILES.items():
        file = directory / path.replace("NAME", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(values))
    return directory


#: Names that would hide a package the project needs, or its own application.
_TAKEN = {"django", "plectrum", "notes", "test", "tests"}
