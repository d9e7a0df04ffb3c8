"""Generic relations, both ends."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Topic(models.Model):
    """Something to remark on."""

    name = models.CharField(max_length=20)
    remarks = GenericRelation("zoo.Remark")

    class Meta:
        app_label = "zoo"
        ordering: ClassVar = ["pk"]


class Remark(models.Model):
    """A remark on anything."""

    text = models.CharField(max_length=20)
    # Tables of applications without migrations are made first: that of content types is not there yet.
    content_type = models.ForeignKey(ContentType, models.CASCADE, db_constraint=False)
    object_id = models.PositiveIntegerField()
    about = GenericForeignKey()

    class Meta:
        app_label = "zoo"
        ordering: ClassVar = ["pk"]
