"""django-bolt's."""

from __future__ import annotations

from django_bolt import BoltAPI

api = BoltAPI(django_middleware=True)


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/who")
async def who(request) -> dict:
    user = await request.auser()
    return {"user": user.is_authenticated}
