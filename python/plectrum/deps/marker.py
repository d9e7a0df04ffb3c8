"""``Depends``: the marker of a parameter that a function fills."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

__all__ = ["Dependency", "Depends", "is_injected"]


@dataclasses.dataclass(frozen=True)
class Dependency:
    """What :func:`Depends` makes.

    Parameters:
        provider: called for the value; ``None`` stands for the parameter's own type.
        cache: whether one value serves everyone who asks for it during a request.
    """

    provider: Callable[..., Any] | None = None
    cache: bool = True


def Depends(provider: Callable[..., Any] | None = None, *, cache: bool = True) -> Any:  # noqa: N802 - a marker
    """Marks a parameter as the result of ``provider``, which may have parameters and dependencies of its own.

    In either style: ``user: Annotated[User, Depends(current_user)]`` or ``user: User = Depends(current_user)``.

    Parameters:
        provider: a function, coroutine function, generator (its code after ``yield`` cleans up), class, or any other
            callable, such as a provider of ``dependency-injector``. The parameter's own type where absent.
        cache: whether everyone who asks for it during a request gets the same value.

    Source: FastAPI's ``Depends``.
    """
    return Dependency(provider, cache)


def is_injected(value: Any) -> bool:
    """Whether a value is a marker of ``dependency-injector``, which its ``@inject`` replaces at the call."""
    return type(value).__module__.startswith("dependency_injector.wiring")
