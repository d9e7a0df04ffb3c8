"""Cart and orders: everybody's own, and what staff does with them."""

from __future__ import annotations

from typing import Annotated, Any

from accounts.access import CUSTOMERS
from asgiref.sync import sync_to_async
from catalog.models import Article
from django.db.models import F, QuerySet
from shop.fields import Key, Prose

from orders import mail, placing
from orders.models import CartLine, Order
from plectrum import (
    BackgroundTasks,
    Claim,
    Conflict,
    CursorPage,
    Field,
    Forbidden,
    NotFound,
    One,
    PageNumber,
    Request,
    Router,
    Schema,
)
from plectrum.guards import Guard, HasPermission, IsStaff, check_object

router = Router(tags=["orders"], auth=CUSTOMERS)


class IsCustomer(Guard):
    """Whoever placed the order, and staff."""

    message = "It is somebody else's order."

    def has_object_permission(self, request: Request, obj: Order) -> bool:
        return bool(obj.customer_id == request.user.pk or request.user.is_staff)


class Amount(Schema):
    """How many."""

    quantity: Annotated[int, Field(ge=1, le=99)]


class Delivery(Schema):
    """Where an order goes."""

    address: Prose


#: Key of the customer who is asking, by whatever authenticated the request.
Me = Annotated[int, Claim("sub")]


# The cart ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.query.get("/cart")
def cart(me: Me) -> QuerySet[CartLine, Any]:
    """What the cart holds, at today's prices."""
    rows = CartLine.objects.filter(customer_id=me)
    return rows.values("article_id", "quantity", title=F("article__title"), price=F("article__price"))


@router.put("/cart/{article_id}", status=204, responses=[NotFound])
async def put_into_cart(me: Me, article_id: Key, amount: Amount) -> None:
    """Puts so many of a live article into the cart, instead of what was there of it."""
    if not await Article.objects.filter(pk=article_id, status=Article.Status.LIVE).aexists():
        raise NotFound(f"There is no article {article_id} for sale.")
    await CartLine.objects.aupdate_or_create(
        customer_id=me, article_id=article_id, defaults={"quantity": amount.quantity}
    )


@router.delete("/cart/{article_id}", status=204)
async def take_from_cart(me: Me, article_id: Key) -> None:
    """Takes an article out of the cart, where it is in it."""
    await CartLine.objects.filter(customer_id=me, article_id=article_id).adelete()


# Orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.post("/orders", status=201, sync=True, responses={Conflict: "The cart is empty, or asks for too much."})
def place_order(me: Me, delivery: Delivery, tasks: BackgroundTasks) -> One[Order]:
    """Orders what is in the cart: all of it or nothing. A mail goes out after the answer."""
    order = placing.place(me, delivery.address)
    tasks.add(mail.confirm, order.pk)
    return One(Order.objects.filter(pk=order.pk).prefetch_related("lines"))


@router.query.get("/orders", filters=["status"], page=CursorPage(size=20))
def orders(me: Me) -> QuerySet[Order]:
    """One's own orders, the newest first."""
    return Order.objects.filter(customer_id=me).prefetch_related("lines")


@router.query.get("/orders/{id}")
def order(me: Me, id: Key) -> One[Order]:
    """One of one's own orders; those of others are not there."""
    return One(Order.objects.filter(pk=id, customer_id=me).prefetch_related("lines"))


@router.post("/orders/{id}/cancel", status=204, responses=[Forbidden, NotFound, Conflict])
async def cancel_order(request: Request, id: Key) -> None:
    """Undoes an order that has not been shipped."""
    found = await Order.objects.filter(pk=id).afirst()
    if found is None:
        raise NotFound
    await check_object(IsCustomer, request, found)
    await sync_to_async(placing.cancel)(id)


# Staff ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

router.resource(
    Order,
    "/staff/orders",
    actions=["list", "retrieve"],
    queryset=lambda: Order.objects.prefetch_related("lines"),
    filters=["status", "customer_id", "placed_at__gte", "total__gte"],
    ordering=["placed_at", "total"],
    page=PageNumber(size=50),
    guards=[IsStaff],
    tags=(),
)


@router.post(
    "/staff/orders/{id}/ship",
    status=204,
    sync=True,
    guards=[HasPermission("orders.ship_order")],
    responses=[NotFound, Conflict],
)
def ship_order(id: Key) -> None:
    """Marks an order as shipped; for staff with Django's permission `orders.ship_order`."""
    if not Order.objects.filter(pk=id).exists():
        raise NotFound
    placing.ship(id)
