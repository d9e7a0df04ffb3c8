"""Files of a form, received: in memory up to ``UPLOAD_MEMORY``, in a file without a name past it."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from . import _core

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

__all__ = ["UploadFile"]

_CHUNK = 64 * 1024


class UploadFile:
    """One uploaded file; a parameter of this type is a file of the form.

    Parameters:
        file: its content, opened for reading; also there as the attribute, for libraries that take binary files.
        filename: what the client calls it, without any path or control characters.
        content_type: what the client says it is; nobody checked.
        size: in bytes.
        headers: header lines of its part, names in lower case.

    Django takes it where it takes a file: ``model.photo.save(upload.filename, upload)`` and ``storage.save(…)``;
    :meth:`to_django` gives forms and model instances an ``UploadedFile``.

    The file is gone when this object is, at the end of the request: save what shall stay.
    """

    def __init__(
        self,
        file: BinaryIO,
        filename: str,
        *,
        size: int,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.file = file
        self.filename = filename
        self.content_type = content_type
        self.size = size
        self.headers: Mapping[str, str] = dict(headers or {})

    @property
    def in_memory(self) -> bool:
        """Whether reading needs no disk."""
        return isinstance(self.file, io.BytesIO)

    async def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes from where reading stopped, all that is left where negative; empty at the end."""
        if self.in_memory:
            return self.file.read(size)
        return await asyncio.to_thread(self.file.read, size)

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to another place; parameters and result as ``io.IOBase.seek``."""
        return self.file.seek(offset, whence)

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Writes the whole file to ``path``, which may exist.

        Returns:
            bytes written.

        Errors:
            OSError: it cannot be written; what was written of it is removed.
        """
        return await asyncio.to_thread(self._save, Path(path))

    def _save(self, path: Path) -> int:
        self.file.seek(0)
        target = path.open("wb")
        try:
            with target:
                shutil.copyfileobj(self.file, target, 1024 * 1024)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return self.size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The file in pieces, from its beginning."""
        await self.seek(0)
        while piece := await self.read(_CHUNK):
            yield piece

    def close(self) -> None:
        """Frees memory and disk now rather than with this object."""
        self.file.close()

    # -- what Django's storages ask of a file (django.core.files.base.File) -------------------------------------------

    @property
    def name(self) -> str:
        """The file's name."""
        return self.filename

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The file in pieces, from its beginning, as Django's ``File.chunks``."""
        self.file.seek(0)
        while piece := self.file.read(chunk_size or _CHUNK):
            yield piece

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        """Whether there is more than one, as Django's ``File.multiple_chunks``."""
        return self.size > (chunk_size or _CHUNK)

    def open(self, mode: str | None = None) -> UploadFile:
        """Goes to the beginning, as Django's ``File.open``."""
        self.file.seek(0)
        return self

    def to_django(self) -> UploadedFile[bytes]:
        """The same file as a ``django.core.files.uploadedfile.UploadedFile``, for forms and models."""
        from django.core.files.uploadedfile import UploadedFile

        self.file.seek(0)
        return UploadedFile(self.file, self.filename, self.content_type or "", self.size)

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename!r} with {self.size} bytes>"


class _OnDisk(io.FileIO):
    """A file without a name, whose blocks are free with its last reference.

    Freeing them takes its time where there are many: Rust does that where nobody waits for it.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "rb", closefd=False)

    def close(self) -> None:
        """Gives the descriptor up; more than once does nothing."""
        if not self.closed:
            descriptor = self.fileno()
            super().close()
            _core.close_upload(descriptor)


def received(
    filename: str,
    content_type: str | None,
    size: int,
    headers: list[tuple[str, str]],
    data: bytes | None,
    descriptor: int | None,
) -> UploadFile:
    """Makes the object of what Rust received: ``data``, or the descriptor of a file."""
    file: Any = io.BytesIO(data or b"") if descriptor is None else io.BufferedReader(_OnDisk(descriptor))
    file.seek(0)
    return UploadFile(file, filename, size=size, content_type=content_type, headers=dict(headers))
