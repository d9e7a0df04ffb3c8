"""What customers are written."""

from __future__ import annotations

from django.core.mail import send_mail

from orders.models import Order


def confirm(order_id: int) -> None:
    """Writes to the customer of an order. Run after the response, so that nobody waits for a mail server."""
    order = Order.objects.select_related("customer").prefetch_related("lines").get(pk=order_id)
    lines = "\n".join(f"{line.quantity} x {line.title}: {line.price}" for line in order.lines.all())
    text = f"Thank you. Your order {order.pk}:\n\n{lines}\n\nTotal: {order.total}\n"
    send_mail(f"Your order {order.pk}", text, None, [order.customer.email])
