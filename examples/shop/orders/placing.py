"""How a cart becomes an order and an order is undone: the only places that change stock on behalf of customers."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.db.models import F
from stock.models import Level

from orders.models import CartLine, Order, OrderLine
from plectrum import Conflict


@transaction.atomic
def place(customer_id: int, address: str) -> Order:
    """Makes an order of a customer's cart and empties it; all of that, or nothing.

    The cart's rows are locked first, so that two clicks make one order; then stock is taken in the order of the
    articles, so that two customers never wait for each other in a circle.

    Errors:
        Conflict: the cart is empty, or there is not enough of something.
    """
    rows = CartLine.objects.select_for_update(of=("self",)).select_related("article")
    lines = list(rows.filter(customer_id=customer_id).order_by("article_id"))
    if not lines:
        raise Conflict("The cart is empty.")
    short = [line.article_id for line in lines if not _take(line.article_id, line.quantity)]
    if short:
        raise Conflict("There is not enough of some articles.", extra={"articles": short})
    total = sum((line.article.price * line.quantity for line in lines), Decimal(0))
    order = Order.objects.create(customer_id=customer_id, address=address, total=total)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            article=line.article,
            title=line.article.title,
            price=line.article.price,
            quantity=line.quantity,
        )
        for line in lines
    )
    CartLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
    return order


def _take(article_id: int, quantity: int) -> bool:
    """Takes stock where there is enough: one statement, so nobody comes in between looking and taking."""
    enough = Level.objects.filter(article_id=article_id, available__gte=quantity)
    return enough.update(available=F("available") - quantity) == 1


@transaction.atomic
def cancel(order_id: int) -> None:
    """Cancels an order that has not been shipped, and puts what it took back on the shelf.

    Errors:
        Conflict: it has been shipped or cancelled.
    """
    _move(order_id, Order.Status.CANCELLED)
    for line in (
        OrderLine.objects.select_related("article")
        .filter(order_id=order_id)
        .exclude(article=None)
        .order_by("article_id")
    ):
        Level.objects.filter(article=line.article).update(available=F("available") + line.quantity)


def ship(order_id: int) -> None:
    """Marks an order as shipped.

    Errors:
        Conflict: it has been shipped or cancelled.
    """
    _move(order_id, Order.Status.SHIPPED)


def _move(order_id: int, status: Order.Status) -> None:
    if not Order.objects.filter(pk=order_id, status=Order.Status.PLACED).update(status=status):
        raise Conflict("The order has been shipped or cancelled already.")
