"""``request.user`` and ``request.auth``: called by the Rust binding when a handler reads them."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

from .scheme import Loader

__all__ = ["aload", "claims_of", "load"]


def claims_of(text: bytes, subject: str | None) -> dict[str, Any]:
    """What ``request.auth`` gives.

    Parameters:
        text: the claims as JSON; empty where the scheme has none.
        subject: the user's key.
    """
    if text:
        return json.loads(text)  # type: ignore[no-any-return]
    return {} if subject is None else {"sub": subject}


def load(loader: Loader | None, subject: str | None, claims: dict[str, Any] | None) -> Any:
    """The user of a request: Django's ``AnonymousUser`` (``None`` without Django) where there is none.

    Errors:
        SynchronousOnlyOperation: the user is in the database and the handler is ``async``: ``await request.auser()``.
    """
    if claims is None:
        return _anonymous()
    if loader is None:
        return _django_user(subject)
    user = loader(subject, claims)
    if inspect.iscoroutine(user):
        user.close()
        raise RuntimeError("The user of this request is loaded by an async function. Write: await request.auser()")
    return _anonymous() if user is None else user


async def aload(request: Any, loaded: Any, loader: Loader | None, subject: str | None, claims: Any) -> Any:
    """As :func:`load`, without blocking; what has been loaded is kept with the request."""
    if loaded is not None:
        return loaded
    if claims is None or (loader is None and subject is None):
        user = _anonymous()
    elif loader is None:
        user = await _django_auser(subject)
    else:
        user = loader(subject, claims)
        if inspect.isawaitable(user):
            user = await user
    user = _anonymous() if user is None else user
    request._remember_user(user)
    return user


def _anonymous() -> Any:
    if "django" not in sys.modules:
        return None
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser()


def _key_of(subject: str | None) -> tuple[Any, Any] | None:
    """The user model and a primary key for it; ``None`` for a text that is none, as of a token of somebody else's."""
    from django.contrib.auth import get_user_model
    from django.core.exceptions import ValidationError

    model: Any = get_user_model()
    try:
        return model, model._meta.pk.to_python(subject)
    except ValidationError:
        return None


def _django_user(subject: str | None) -> Any:
    if subject is None or (found := _key_of(subject)) is None:
        return _anonymous()
    model, key = found
    try:
        user = model._default_manager.get(pk=key)
    except model.DoesNotExist:
        return _anonymous()
    return user if user.is_active else _anonymous()


async def _django_auser(subject: str | None) -> Any:
    if subject is None or (found := _key_of(subject)) is None:
        return _anonymous()
    model, key = found
    try:
        user = await model._default_manager.aget(pk=key)
    except model.DoesNotExist:
        return _anonymous()
    return user if user.is_active else _anonymous()
