"""Pictures: shown to everybody, put up by staff. The files themselves are sent by Rust, from `MEDIA_URL`."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from accounts.access import CUSTOMERS
from catalog.models import Article
from django.db.models import QuerySet
from shop.fields import STORABLE, Key

from pictures.models import Picture
from plectrum import Form, NotFound, One, Router, UploadFile, ValidationError
from plectrum.guards import IsStaff
from plectrum.params import File

router = Router(tags=["pictures"])

#: How the files begin, whatever a client calls them.
KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}
Image = Annotated[UploadFile, File(max_size=2_000_000, media_types=("image/png", "image/jpeg", "image/gif"))]
Caption = Annotated[str, Form(max_length=80, pattern=STORABLE)]


@router.query.get("/articles/{article_id}/pictures")
def pictures(article_id: Key) -> QuerySet[Picture, Any]:
    """Pictures of an article."""
    rows = Picture.objects.filter(article_id=article_id)
    return rows.values("id", "image", "caption", "size", "added_at")


@router.post(
    "/articles/{article_id}/pictures",
    status=201,
    auth=CUSTOMERS,
    guards=[IsStaff],
    sync=True,
    responses=[NotFound],
)
def add_picture(article_id: Key, image: Image, caption: Caption = "") -> One[Picture]:
    """Puts up a picture of at most 2 MB; staff only."""
    if not Article.objects.filter(pk=article_id).exists():
        raise NotFound(f"There is no article {article_id}.")
    kind = next((kind for start, kind in KINDS.items() if _begins(image, start)), None)
    if kind is None:
        wrong = {"loc": ["body", "image"], "type": "image", "msg": "The file is no PNG, JPEG or GIF."}
        raise ValidationError([wrong])
    picture = Picture(article_id=article_id, caption=caption, size=image.size)
    picture.image.save(f"{uuid.uuid4().hex}.{kind}", image.to_django())
    return One(Picture.objects.filter(pk=picture.pk))


@router.delete("/pictures/{id}", status=204, auth=CUSTOMERS, guards=[IsStaff], sync=True, responses=[NotFound])
def remove_picture(id: Key) -> None:
    """Takes a picture down; staff only."""
    picture = Picture.objects.filter(pk=id).first()
    if picture is None:
        raise NotFound
    picture.delete()
    picture.image.delete(save=False)


def _begins(upload: UploadFile, start: bytes) -> bool:
    upload.file.seek(0)
    found = upload.file.read(len(start))
    upload.file.seek(0)
    return found == start
