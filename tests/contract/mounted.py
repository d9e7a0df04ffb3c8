"""A Django project in one module, its admin and views served beside an API."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command

FILES = Path(os.environ.get("MOUNTED_FILES") or tempfile.mkdtemp())

settings.configure(
    SECRET_KEY="tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="tests.contract.mounted",
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILES / "mounted.sqlite3", "ATOMIC_REQUESTS": True}
    },
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="/static/",
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "loggers": {"django.request": {"handlers": ["console"]}},
    },
    USE_TZ=True,
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.signals import request_finished  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path, reverse  # noqa: E402
from django.utils.translation import gettext as _  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

from plectrum import API, Request, Router  # noqa: E402

if __name__ == "__main__":  # once, before it is served
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("ada", "ada@shop.test", "secret")
finished: list[str] = []
request_finished.connect(lambda **_: finished.append("finished"), weak=False)


@csrf_exempt
def echo(request: HttpRequest) -> JsonResponse:
    shown = {name: value for name, value in request.META.items() if name.startswith(("HTTP_", "CONTENT_", "REMOTE"))}
    uploads = {name: [file.name, len(file.read())] for name, file in request.FILES.items()}
    return JsonResponse(
        {
            "method": request.method,
            "path": request.path,
            "url": request.build_absolute_uri(),
            "here": reverse("echo"),
            "query": request.GET.dict(),
            "form": request.POST.dict(),
            "files": uploads,
            "meta": shown,
            "atomic": len(connection.savepoint_ids) + connection.in_atomic_block,
        }
    )


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[str]:
        for number in range(3):
            yield f"{User.objects.count()} {number}\n"

    return StreamingHttpResponse(rows(), content_type="text/plain")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"), filename="module.py")


def cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(_("Yes"))
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "2")
    return response


def broken(request: HttpRequest) -> HttpResponse:
    User.objects.create(username="never")
    raise RuntimeError("broken view")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("echo/", echo, name="echo"),
    path("stream", stream),
    path("file", file),
    path("cookies", cookies),
    path("broken", broken),
]

api = API(prefix="/api")


@api.get("/finished", sync=True)
def how_many_finished() -> dict[str, int]:
    return {"finished": len(finished), "users": User.objects.count()}


chained = Router("/chained", django_middleware=True)
opened: list[int] = []
connection_created.connect(lambda **_: opened.append(threading.get_ident()), weak=False)


@chained.get("/visits")
async def visits(request: Request) -> int:
    seen: int = await request.session.aget("visits", 0) + 1
    await request.session.aset("visits", seen)
    return seen


@chained.post("/me")
async def me(request: HttpRequest) -> dict[str, str]:
    user = await request.auser()
    return {"user": user.get_username(), "said": _("Yes"), "host": request.get_host()}


@chained.get("/behind-a-thread", django_middleware=["tests.middleware.support.SyncOnly"])
async def behind_a_thread() -> list[int]:
    before = await User.objects.acount()
    await asyncio.sleep(0.01)
    return [before, await User.objects.acount()]


@chained.get("/broken")
async def broken_here() -> None:
    raise RuntimeError("broken handler")


@chained.get("/stream")
async def chained_stream() -> StreamingHttpResponse:
    async def rows() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{await User.objects.acount()} {number}\n"

    return StreamingHttpResponse(rows(), content_type="text/plain")


@api.get("/threads")
async def threads() -> dict[str, Any]:
    """Which threads the ORM is called on, and how many connections that opened."""
    before = len(opened)
    first = await sync_to_async(threading.get_ident)()
    await User.objects.acount()
    inner = await asyncio.gather(*(sync_to_async(threading.get_ident)() for _ in range(3)))
    await User.objects.acount()
    return {"threads": [first, *inner], "opened": len(opened) - before}


@api.get("/sleep")
async def sleep() -> None:
    await sync_to_async(time.sleep)(0.4)


api.include(chained)
api.mount_django()
api.mount_django("/below", urlconf=__name__)
