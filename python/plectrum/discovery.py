"""Finding the API object by its name."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError, line_of_error

if TYPE_CHECKING:
    from .api import API

__all__ = ["find", "find_in_django"]


def find(name: str) -> API:
    """Imports an API object.

    Parameters:
        name: ``package.module:api`` or ``package.module.api``; ``package.module:`` means its ``api``.

    Errors:
        ConfigurationError: there is no such module or object, it fails to import, or it is something else.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon:
        module_name, _, attribute = name.rpartition(".")
    attribute = attribute or "api"
    if not module_name:
        raise ConfigurationError(f"{name!r} does not name an API object. Write 'module:api', such as 'shop.api:api'.")
    return _checked(getattr(_import(module_name), attribute, None), module_name, attribute)


def find_in_django(name: str | None) -> API:
    """Finds the API object of the configured Django project.

    Parameters:
        name: value of ``PLECTRUM["API"]``; where ``None``, ``api`` in the module ``<project>.api`` is taken.

    Errors:
        ConfigurationError: as :func:`find`, or there is nothing to find.
    """
    if name is not None:
        return find(name)
    for package in _project_packages():
        if importlib.util.find_spec(f"{package}.api") is not None:
            return find(f"{package}.api:api")
    packages = _project_packages()
    looked = " and ".join(f"{package}.api" for package in packages) or "no package"
    place = f"{packages[0].replace('.', '/')}/api.py" if packages else "a module"
    raise ConfigurationError(
        f"No API object was found (looked into {looked}). Write {place} with api = API(), of plectrum, or name another "
        'in the settings: PLECTRUM = {"API": "shop.api.api"}.'
    )


def _project_packages() -> list[str]:
    """Packages of the project, by the modules Django was told of."""
    from django.conf import settings

    modules = [os.environ.get("DJANGO_SETTINGS_MODULE", ""), getattr(settings, "ROOT_URLCONF", None) or ""]
    packages = [module.rpartition(".")[0] for module in modules]
    return list(dict.fromkeys(package for package in packages if package))


def _import(module: str) -> Any:
    if "" not in sys.path and os.curdir not in sys.path:
        sys.path.insert(0, "")  # a console script does not look into the directory it was started from
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module == missing or module.startswith(f"{missing}."):
            raise ConfigurationError(
                f"There is no module {missing!r}. Check the spelling, and that you are in the project's directory."
            ) from error
        raise ConfigurationError(f"{_where(error, module)}: importing {module!r} failed: {error}.") from error
    except SyntaxError as error:
        raise ConfigurationError(f"{error.filename}:{error.lineno}: {error.msg}.") from error


def _where(error: BaseException, module: str) -> str:
    return line_of_error(error) or module


def _checked(found: Any, module: str, attribute: str) -> API:
    from .api import API

    if isinstance(found, API):
        return found
    if found is None:
        names = [name for name, value in vars(sys.modules[module]).items() if isinstance(value, API)]
        hint = f"It has {names[0]!r}: write '{module}:{names[0]}'." if names else f"Write there: {attribute} = API()."
        raise ConfigurationError(f"Module {module!r} has no {attribute!r}. {hint}")
    raise ConfigurationError(f"'{module}:{attribute}' is a {type(found).__name__}, not a plectrum.API.")
