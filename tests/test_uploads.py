"""Forms, files and parameter models, in process; sockets, limits and the disk are in ``contract/test_uploads.py``."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict, cast

import msgspec
import pydantic
import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import UploadedFile

from plectrum import (
    API,
    Body,
    ConfigurationError,
    Cookie,
    Form,
    Header,
    Query,
    Request,
    Schema,
    SchemaError,
    UploadFile,
)
from plectrum.params import File
from plectrum.testing import TestClient


def errors(answer: Any) -> list[tuple[list[Any], str]]:
    return [(error["loc"], error["type"]) for error in answer.json()["errors"]]


async def show(file: UploadFile | None) -> list[Any] | None:
    return None if file is None else [file.filename, file.content_type, file.size, (await file.read()).decode()]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_method(method: str) -> None:
    api = API()

    @api.route("/", methods=[method])
    async def upload(
        title: Annotated[str, Form()],
        number: Annotated[int, Form()],
        file: UploadFile,
        tags: Annotated[list[str], Form()],
    ) -> list[Any]:
        return [title, number, await show(file), tags]

    with TestClient(api) as client:
        sent: dict[str, Any] = {"title": "é", "number": "7", "tags": ["a", "b"]}
        got = client.request(method, "/", data=sent, files={"file": ("../x.txt", b"hi", "text/plain")})
        assert got.json() == ["é", 7, ["x.txt", "text/plain", 2, "hi"], ["a", "b"]]
        wrong = client.request(method, "/", data={"number": "x"}, files={"other": b""})
        assert wrong.status_code == 422
        assert errors(wrong) == [
            (["body", "title"], "missing"),
            (["body", "number"], "int_parsing"),
            (["body", "file"], "missing"),
            (["body", "tags"], "missing"),
        ]


def test_lists_options_and_rules() -> None:
    api = API()

    @api.post("/")
    async def upload(
        photos: Annotated[list[UploadFile], File(max_size=3, media_types=("image/*", "text/plain"))],
        more: list[UploadFile] | None = None,
        other: UploadFile | None = None,
    ) -> list[Any]:
        return [[await show(photo) for photo in photos], more and len(more), await show(other)]

    with TestClient(api) as client:
        two = [("photos", ("a", b"1", "image/png")), ("photos", ("b", b"22", "text/plain; charset=utf-8"))]
        shown = [["a", "image/png", 1, "1"], ["b", "text/plain; charset=utf-8", 2, "22"]]
        assert client.post("/", files=two).json() == [shown, None, None]
        more = [*two, ("more", b"x"), ("more", b"y"), ("other", ("o", b"z"))]
        assert client.post("/", files=more).json() == [shown, 2, ["o", None, 1, "z"]]
        wrong = client.post("/", files=[*two, ("photos", ("c", b"4444", "image/png")), ("photos", ("d", b"", "a/b"))])
        assert errors(wrong) == [(["body", "photos", 2], "file_too_large"), (["body", "photos", 3], "file_type")]
        assert errors(client.post("/", files={})) == [(["body", "photos"], "missing")]
        assert client.post("/", data={"photos": "text"}).status_code == 422
        assert client.post("/", json={}).status_code == 415


class Profile(Schema):
    name: str
    age: int = 0
    photo: UploadFile | None = None
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Filters:
    q: str
    page: int = 1


class Filed(TypedDict):
    q: str


class Struct(msgspec.Struct):
    q: str
    page: int = 1


class Model(pydantic.BaseModel):
    q: str
    page: int = 1
    tags: list[int] = []


def test_a_form_as_a_model() -> None:
    api = API()

    @api.post("/")
    async def create(profile: Annotated[Profile, Form()]) -> list[Any]:
        return [profile.name, profile.age, await show(profile.photo), profile.tags]

    with TestClient(api) as client:
        got = client.post("/", data={"name": "Ada", "age": "36", "tags": ["x", "y"]}, files={"photo": ("p", b"!")})
        assert got.json() == ["Ada", 36, ["p", None, 1, "!"], ["x", "y"]]
        assert client.post("/", data={"name": "Ada"}).json() == ["Ada", 0, None, []]
        assert errors(client.post("/", data={"age": "x"})) == [
            (["body", "name"], "missing"),
            (["body", "age"], "int_parsing"),
        ]
        document = client.get("/openapi.json").json()
    body = document["paths"]["/"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
    assert body["multipart/form-data"]["schema"] == {"$ref": "#/components/schemas/Profile"}
    photo = document["components"]["schemas"]["Profile"]["properties"]["photo"]
    assert {"type": "string", "contentMediaType": "application/octet-stream"} in photo["anyOf"]


@pytest.mark.parametrize("model", [Filters, Filed, Struct, Model])
def test_models_of_every_kind_from_every_source(model: Any) -> None:
    api = API()

    def plain(value: Any) -> Any:
        return value.q if not isinstance(value, dict) else value["q"]

    for path, marker in (("/query", Query()), ("/header", Header()), ("/cookie", Cookie()), ("/form", Form())):

        async def handler(filters: Any) -> Any:
            return plain(filters)

        handler.__annotations__["filters"] = Annotated[model, marker]
        api.route(path, methods=["POST"], name=path[1:])(handler)
    with TestClient(api) as client:
        assert client.post("/query?q=1&page=2").json() == "1"
        assert client.post("/header", headers={"Q": "2"}).json() == "2"
        assert client.post("/cookie", cookies={"q": "3"}).json() == "3"
        assert client.post("/form", data={"q": "4"}).json() == "4"
        assert errors(client.post("/query?page=2"))[0] == (["query", "q"], "missing")
        if model is not Filed:
            parameters = client.get("/openapi.json").json()["paths"]["/query"]["post"]["parameters"]
            assert [(p["name"], p["in"], p["required"]) for p in parameters][:2] == [
                ("q", "query", True),
                ("page", "query", False),
            ]


def test_lists_in_a_pydantic_model() -> None:
    api = API()

    @api.get("/")
    async def handler(filters: Annotated[Model, Query()]) -> Model:
        return filters

    with TestClient(api) as client:
        assert client.get("/?q=1&tags=2&tags=3").json() == {"q": "1", "page": 1, "tags": [2, 3]}
        assert errors(client.get("/?q=1&tags=x")) == [(["query", "tags", 0], "int_parsing")]


def test_raw_bytes() -> None:
    api = API()

    @api.put("/")
    async def raw(data: Annotated[bytes, Body(min_length=1, max_length=4)]) -> str:
        return data.decode("latin-1")

    @api.put("/optional")
    async def optional(data: Annotated[bytes, Body()] = b"none") -> str:
        return data.decode()

    with TestClient(api) as client:
        assert client.put("/", content=b"\xff\0", headers={"content-type": "image/png"}).json() == "ÿ\0"
        assert errors(client.put("/")) == [(["body"], "bytes_too_short")]
        assert errors(client.put("/", content=b"12345")) == [(["body"], "bytes_too_long")]
        assert client.put("/optional").json() == "none"
        body = client.get("/openapi.json").json()["paths"]["/"]["put"]["requestBody"]
    assert body == {"required": True, "content": {"application/octet-stream": {}}}


def test_a_streamed_body_in_process() -> None:
    api = API()

    @api.put("/", stream=True, max_body=10)
    async def stream(request: Request) -> list[int]:
        with pytest.raises(RuntimeError, match=r"request\.stream"):
            _ = request.body
        return [len(chunk) async for chunk in request.stream()]

    @api.put("/buffered")
    async def buffered(request: Request) -> None:
        request.stream()

    with TestClient(api) as client:
        assert client.put("/", content=b"12345").json() == [5]
        assert client.put("/").json() == []
        assert client.put("/", content=b"x" * 11).status_code == 413
        assert client.put("/buffered", content=b"x").status_code == 500


class TestMistakes:
    def test_options(self) -> None:
        api = API()

        async def handler() -> None: ...

        def sync(request: Request) -> None: ...

        for options, said in (
            ({"max_body": -1}, "max_body=-1 is a number of bytes, from 0"),
            ({"timeout": 0}, "timeout=0 is a number of seconds above 0"),
            ({"timeout": float("nan")}, "timeout=nan is a number"),
        ):
            with pytest.raises(ConfigurationError, match=said):
                api.get("/", **options)(handler)
        with pytest.raises(ConfigurationError, match="write 'async def' instead of sync=True"):
            api.put("/", stream=True, sync=True)(sync)

    def test_two_bodies(self) -> None:
        api = API()

        @api.put("/", stream=True)
        async def both(request: Request, data: dict[str, int]) -> None: ...

        with pytest.raises(
            ConfigurationError, match=r"reads its body as a stream \(stream=True\) and as the parameter 'data'"
        ):
            api.compile()

    def test_rules(self) -> None:
        api = API()

        @api.post("/")
        async def upload(file: Annotated[UploadFile, File(media_types=("png",))]) -> None: ...

        with pytest.raises(SchemaError, match='holds types such as "image/png" or "image/\\*", found "png"'):
            api.compile()

    def test_files_are_no_json(self) -> None:
        api = API()

        @api.get("/")
        async def wrong(file: Annotated[UploadFile, Query()]) -> None: ...

        with pytest.raises(SchemaError, match="cannot be read from a query parameter"):
            api.compile()


def test_as_a_file_of_djangos(tmp_path: Path) -> None:
    api = API()
    storage = FileSystemStorage(tmp_path)
    large = bytes(range(256)) * 5000

    @api.post("/")
    async def upload(file: UploadFile) -> list[Any]:
        name = storage.save(file.name, file)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        django = file.to_django()
        assert isinstance(django, UploadedFile)
        again = storage.save("again", django)
        saved = await file.save(tmp_path / "saved")
        await file.seek(2)
        pieces = [piece async for piece in file]
        return [name, again, saved, file.in_memory, len(b"".join(pieces)), file.multiple_chunks(), django.content_type]

    with TestClient(api, upload_memory=1_000_000) as client:
        kind = "application/x-test"
        for content, in_memory in ((b"small", True), (large, False)):
            got = client.post("/", files={"file": ("a.bin", content, kind)}).json()
            assert got[2:] == [len(content), in_memory, len(content), not in_memory, kind]
            for name in (got[0], got[1], "saved"):
                assert tmp_path.joinpath(name).read_bytes() == content


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
@pytest.mark.parametrize("way", ["closed", "forgotten", "detached"])
def test_a_file_on_disk_is_closed_once(way: str) -> None:
    api = API()
    content = bytes(range(256)) * 20

    def is_open(descriptor: int) -> bool:
        try:
            return "plectrum-upload" in str(Path(f"/proc/self/fd/{descriptor}").readlink())
        except FileNotFoundError:
            return False

    @api.post("/")
    async def upload(file: UploadFile) -> list[Any]:
        descriptor = file.file.fileno()
        found, there = await file.read(), is_open(descriptor)
        if way == "closed":
            file.close()
            file.close()
            assert file.file.closed
        elif way == "detached":
            raw: Any = cast("Any", file.file).detach()
            del file
            raw.seek(0)
            found = raw.read()
            raw.close()
        return [descriptor, there, found == content]

    with TestClient(api, upload_memory=1000) as client:
        descriptor, there, whole = client.post("/", files={"file": content}).json()
        assert (there, whole) == (True, True)
        for _ in range(500):
            if not is_open(descriptor):
                break
            time.sleep(0.01)
        assert not is_open(descriptor)
        assert client.post("/", files={"file": content}).json()[1:] == [True, True]


def test_what_cannot_be_saved_leaves_nothing(tmp_path: Path) -> None:
    api = API()

    @api.post("/")
    async def upload(file: UploadFile) -> None:
        await file.save(tmp_path / "missing" / "file")

    with TestClient(api) as client:
        assert client.post("/", files={"file": b"x"}).status_code == 500
    assert list(tmp_path.iterdir()) == []


def test_a_timeout_of_the_route() -> None:
    import asyncio

    api, cancelled = API(), list[str]()

    @api.get("/", timeout=0.05)
    async def slow() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append("yes")
            raise

    with TestClient(api) as client:
        got = client.get("/")
        assert got.status_code == 504
        assert json.loads(got.content)["title"] == "Gateway Timeout"
        client.get("/nowhere")
    assert cancelled == ["yes"]
