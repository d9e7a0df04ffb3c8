"""Carts, and the orders they become."""

from __future__ import annotations

from catalog.models import Article
from django.conf import settings
from django.db import models


class CartLine(models.Model):
    """So many of an article, in somebody's cart."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cart")
    article = models.ForeignKey(Article, models.CASCADE, related_name="+")
    quantity = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["customer", "article"], name="one_cart_line_per_article")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.article_id}"


class Order(models.Model):
    """What a customer has bought, at the prices of that moment."""

    class Status(models.TextChoices):
        PLACED = "placed", "Placed"
        SHIPPED = "shipped", "Shipped"
        CANCELLED = "cancelled", "Cancelled"

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, choices=Status, default=Status.PLACED)
    address = models.TextField()
    total = models.DecimalField(max_digits=12, decimal_places=2)
    placed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "-id"])]
        permissions = [("ship_order", "Can ship orders")]

    def __str__(self) -> str:
        return f"Order {self.pk}"


class OrderLine(models.Model):
    """So many of an article, with its title and price when it was bought."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    article = models.ForeignKey(Article, models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.title}"
