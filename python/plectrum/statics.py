"""Directories whose files Rust serves."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from .errors import ConfigurationError, line_of_caller

__all__ = ["Static", "django_directories"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Static:
    """A part of the address space that is files, with ranges, ``ETag`` and ``Last-Modified``.

    Files whose name, or whose directory's, begins with a dot are not there, ``.well-known`` aside; neither is anything
    outside of the directories, whatever the path says.

    Parameters:
        path: where it begins.
        directories: where the files are; the first that has one wins.
        index, cache_control, precompressed, follow_symlinks: see :meth:`plectrum.API.static`.
    """

    path: str
    directories: list[str]
    index: str | None = None
    cache_control: str | None = None
    precompressed: bool = True
    follow_symlinks: bool = False

    def checked(self) -> Static:
        """Itself.

        Errors:
            ConfigurationError: it could never serve a file.
        """
        if not self.path.startswith("/") or "{" in self.path:
            raise ConfigurationError(
                f'{line_of_caller()}: static files are served below a plain path such as "/static", not {self.path!r}.'
            )
        for directory in self.directories:
            if not Path(directory).is_dir():
                raise ConfigurationError(
                    f"{line_of_caller()}: there is no directory {directory} to serve at {self.path}. Make it, or name "
                    "another one."
                )
        if self.index is not None and (os.sep in self.index or self.index.startswith(".")):
            raise ConfigurationError(f"{line_of_caller()}: index={self.index!r} is the name of a file, without a path.")
        return self


def django_directories() -> Iterator[tuple[str, list[str]]]:
    """What Django's settings serve: path and directories of static files, then of media files.

    Source: ``django.contrib.staticfiles``; settings ``STATIC_URL``, ``STATIC_ROOT``, ``MEDIA_URL``, ``MEDIA_ROOT``.
    """
    from django.conf import settings

    found = False
    if path := _local(settings.STATIC_URL):
        root = settings.STATIC_ROOT
        directories = [str(root)] if root and Path(root).is_dir() else _finders()
        if directories:
            found = True
            yield path, directories
    if (path := _local(settings.MEDIA_URL)) and str(settings.MEDIA_ROOT):
        Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
        found = True
        yield path, [str(settings.MEDIA_ROOT)]
    if not found:
        raise ConfigurationError(
            f"{line_of_caller()}: mount_static() found nothing to serve. Set STATIC_URL with STATIC_ROOT or "
            "django.contrib.staticfiles, or MEDIA_URL with MEDIA_ROOT."
        )


def _local(url: str | None) -> str | None:
    """The path of a URL on this host."""
    return "/" + url.strip("/") if url and "//" not in url and url.strip("/") else None


def _finders() -> list[str]:
    """Where the finders of ``django.contrib.staticfiles`` look, in their order."""
    from django.apps import apps

    if not apps.is_installed("django.contrib.staticfiles"):
        return []
    from django.contrib.staticfiles.finders import get_finders

    places: list[str] = []
    for finder in get_finders():
        # Those of applications have no attribute `prefix` at all.
        storages = [each for each in getattr(finder, "storages", {}).values() if not getattr(each, "prefix", "")]
        places.extend(str(storage.location) for storage in storages if Path(storage.location).is_dir())
    return places
