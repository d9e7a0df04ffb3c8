"""Files as responses, static files, conditional requests, negotiation."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from plectrum import API, JSON, ConfigurationError, File, Response, responses
from plectrum.testing import TestClient, TestResponse

CONTENT = bytes(range(256)) * 400  # larger than what is read at once with the opening


@pytest.fixture
def client(tmp_path: Path) -> Any:
    (tmp_path / "data.bin").write_bytes(CONTENT)
    (tmp_path / "page.html").write_text("<p>é</p>")
    api = API()

    @api.get("/data")
    async def data() -> File:
        return File(tmp_path / "data.bin")

    @api.get("/named")
    async def named() -> File:
        return File(tmp_path / "page.html", filename='né "1".html', headers={"etag": '"mine"', "x-a": "b"})

    @api.get("/missing")
    async def missing() -> File:
        return File(tmp_path / "nothing")

    @api.get("/directory")
    async def directory() -> File:
        return File(tmp_path)

    with TestClient(api) as made:
        yield made


def test_a_whole_file(client: TestClient) -> None:
    got = client.get("/data")
    assert (got.status_code, got.content) == (200, CONTENT)
    assert got.headers["accept-ranges"] == "bytes"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["etag"].startswith('"')
    head = client.head("/data")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", got.headers["etag"])


def test_a_name_for_the_client(client: TestClient) -> None:
    got = client.get("/named")
    assert got.text == "<p>é</p>"
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert (got.headers["etag"], got.headers["x-a"]) == ('"mine"', "b")
    expected = "attachment; filename=\"n_ _1_.html\"; filename*=UTF-8''n%C3%A9%20%221%22.html"
    assert got.headers["content-disposition"] == expected
    assert responses._attachment("plain.txt") == 'attachment; filename="plain.txt"'
    assert "\r" not in responses._attachment("a\r\nset-cookie: b")
    assert client.get("/missing").status_code == 404
    assert client.get("/directory").status_code == 404


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("0-0", 0, 1),
        ("100-199", 100, 200),
        ("102399-", 102399, 102400),
        ("-5", 102395, 102400),
        ("5-999999", 5, 102400),
    ],
)
def test_one_range(client: TestClient, asked: str, start: int, end: int) -> None:
    got = client.get("/data", headers={"range": f"bytes={asked}"})
    assert (got.status_code, got.content) == (206, CONTENT[start:end])
    assert got.headers["content-range"] == f"bytes {start}-{end - 1}/102400"


def test_several_ranges(client: TestClient) -> None:
    got = client.get("/data", headers={"range": "bytes=0-1,-2"})
    assert got.status_code == 206
    assert got.headers["content-type"] == "multipart/byteranges; boundary=plectrum-part"
    kind = b"content-type: application/octet-stream\r\n"
    assert got.content == (
        b"\r\n--plectrum-part\r\n" + kind + b"content-range: bytes 0-1/102400\r\n\r\n\x00\x01"
        b"\r\n--plectrum-part\r\n" + kind + b"content-range: bytes 102398-102399/102400\r\n\r\n\xfe\xff"
        b"\r\n--plectrum-part--\r\n"
    )


def test_ranges_that_are_not_answered(client: TestClient) -> None:
    got = client.get("/data", headers={"range": "bytes=102400-"})
    assert (got.status_code, got.headers["content-range"]) == (416, "bytes */102400")
    for ignored in ("bytes=x", "lines=0-1", "bytes=5-1", "bytes=" + ",".join(["0-1"] * 50)):
        assert client.get("/data", headers={"range": ignored}).status_code == 200
    assert client.head("/data", headers={"range": "bytes=0-1"}).status_code == 200


def test_conditions(client: TestClient) -> None:
    first = client.get("/data")
    etag, modified = first.headers["etag"], first.headers["last-modified"]

    def status(**headers: str) -> int:
        return client.get(
            "/data", headers={name.replace("_", "-"): value for name, value in headers.items()}
        ).status_code

    assert status(if_none_match=etag) == 304
    assert status(if_none_match=f'"x", W/{etag}') == 304
    assert status(if_none_match='"x"') == 200
    assert status(if_modified_since=modified) == 304
    assert status(if_match='"x"') == 412
    assert status(if_match=etag) == 200
    assert status(if_unmodified_since="Sun, 06 Nov 1994 08:49:37 GMT") == 412
    assert status(range="bytes=0-1", if_range=etag) == 206
    assert status(range="bytes=0-1", if_range=modified) == 206
    assert status(range="bytes=0-1", if_range='"x"') == 200
    gone = client.get("/data", headers={"if-none-match": etag})
    assert (gone.content, gone.headers["etag"], "content-type" in gone.headers) == (b"", etag, False)


def test_conditions_of_any_response() -> None:
    api = API()

    @api.route("/", methods=["GET", "PUT"])
    async def versioned() -> Response:
        return JSON({"a": 1}, headers={"etag": '"1"'})

    with TestClient(api) as client:
        assert client.get("/").json() == {"a": 1}
        assert client.get("/", headers={"if-none-match": '"1"'}).status_code == 304
        assert client.put("/", headers={"if-match": '"2"'}).status_code == 412


def test_negotiation() -> None:
    api, called = API(), list[str]()

    @api.get("/json")
    async def json() -> dict[str, int]:
        called.append("json")
        return {}

    @api.get("/csv", produces="text/csv")
    async def csv() -> Response:
        return Response("a", media_type="text/csv")

    @api.get("/any")
    async def anything() -> Response:
        return Response("a")

    with TestClient(api) as client:
        for accept, status in (("*/*", 200), ("text/html, application/*;q=0.1", 200), ("text/html", 406)):
            assert client.get("/json", headers={"accept": accept}).status_code == status
        assert client.get("/csv", headers={"accept": "text/csv"}).status_code == 200
        assert client.get("/csv", headers={"accept": "application/json"}).status_code == 406
        assert client.get("/any", headers={"accept": "image/png"}).status_code == 200
    assert len(called) == 2


class TestStatic:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "root"
        (root / "sub").mkdir(parents=True)
        (tmp_path / "secret.txt").write_text("secret")
        (root / "a.css").write_text("body {}")
        (root / "a.css.gz").write_bytes(gzip.compress(b"body {}"))
        (root / "a.css.br").write_bytes(b"not really brotli")
        (root / ".hidden").write_text("hidden")
        (root / ".well-known").mkdir()
        (root / ".well-known" / "security.txt").write_text("contact")
        (root / "sub" / "index.html").write_text("index")
        (root / "%2e%2e").write_text("odd")
        (root / "out").symlink_to(tmp_path / "secret.txt")
        (root / "in").symlink_to(root / "a.css")
        return root

    def ask(self, root: Path, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        api = API()
        api.static("/static", root, **options)
        with TestClient(api) as client:
            return client.get(path, headers=headers)

    def test_files(self, root: Path) -> None:
        got = self.ask(root, "/static/a.css", cache_control="max-age=60")
        assert (got.status_code, got.text) == (200, "body {}")
        assert got.headers["content-type"] == "text/css; charset=utf-8"
        assert (got.headers["cache-control"], got.headers["vary"]) == ("max-age=60", "accept-encoding")
        assert "content-encoding" not in got.headers
        again = self.ask(root, "/static/a.css", headers={"if-none-match": got.headers["etag"]})
        assert again.status_code == 304
        assert self.ask(root, "/static/a.css", headers={"range": "bytes=0-3"}).text == "body"
        assert self.ask(root, "/static/.well-known/security.txt").text == "contact"
        assert self.ask(root, "/static/%252e%252e").text == "odd"
        assert self.ask(root, "/static/in").text == "body {}"

    def test_precompressed(self, root: Path) -> None:
        gzipped = self.ask(root, "/static/a.css", headers={"accept-encoding": "gzip, br;q=0"})
        assert (gzipped.headers["content-encoding"], gzip.decompress(gzipped.content)) == ("gzip", b"body {}")
        assert gzipped.headers["content-type"] == "text/css; charset=utf-8"
        best = self.ask(root, "/static/a.css", headers={"accept-encoding": "gzip, br"})
        assert best.headers["content-encoding"] == "br"
        assert best.headers["etag"] != gzipped.headers["etag"]
        both = {"accept-encoding": "gzip", "range": "bytes=0-3"}
        assert self.ask(root, "/static/a.css", headers=both).text == "body"
        off = self.ask(root, "/static/a.css", headers={"accept-encoding": "gzip"}, precompressed=False)
        assert "content-encoding" not in off.headers

    @pytest.mark.parametrize(
        "path",
        [
            "/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/%2e%2e%2fsecret.txt",
            "/static/..%2fsecret.txt",
            "/static/sub/../../secret.txt", "/static/sub/%2e%2e/%2e%2e/secret.txt", "/static//etc/passwd",
            "/static/%2fetc%2fpasswd", "/static/..%5csecret.txt", "/static/%252e%252e/secret.txt", "/static/a.css%00",
            "/static/a.css%00.html", "/static/.hidden", "/static/out", "/static/./a.css", "/static/sub", "/static/",
            "/static/nothing", "/static/a.css/", "/static/a.css/b", "/static/" + "x" * 300,
            "/static/%c0%ae%c0%ae/secret.txt",
        ],
    )  # fmt: skip
    def test_what_is_not_there(self, root: Path, path: str) -> None:
        got = self.ask(root, path)
        assert got.status_code in (400, 404)
        assert b"secret" not in got.content

    def test_options(self, root: Path) -> None:
        assert self.ask(root, "/static/out", follow_symlinks=True).text == "secret"
        assert self.ask(root, "/static/sub/", index="index.html").text == "index"
        moved = self.ask(root, "/static/sub?a=1", index="index.html")
        assert (moved.status_code, moved.headers["location"]) == (308, "/static/sub/?a=1")
        api = API()
        api.static("/static", [root / "sub", root])
        with TestClient(api) as client:
            assert client.get("/static/index.html").text == "index"
            assert client.get("/static/a.css").text == "body {}"
            assert client.post("/static/a.css").status_code == 405

    def test_mistakes(self, root: Path) -> None:
        api = API()
        with pytest.raises(
            ConfigurationError, match=r"test_files\.py:\d+: there is no directory .*nowhere to serve at /s"
        ):
            api.static("/s", root / "nowhere")
        with pytest.raises(ConfigurationError, match="below a plain path"):
            api.static("/s/{name}", root)
        with pytest.raises(ConfigurationError, match="is the name of a file"):
            api.static("/s", root, index="../index.html")
        api.static("/s", root, cache_control="a\nb")
        with pytest.raises(ConfigurationError, match="cache_control cannot be the value of a header"):
            TestClient(api)

    def test_djangos(self, root: Path, tmp_path: Path, settings: Any) -> None:
        settings.STATIC_URL, settings.STATIC_ROOT = "/assets/", root
        settings.MEDIA_URL, settings.MEDIA_ROOT = "media/", tmp_path / "media"
        api = API("/api")
        api.mount_static(cache_control="max-age=1")
        (tmp_path / "media" / "m.txt").write_text("m")
        with TestClient(api) as client:
            assert client.get("/assets/a.css").text == "body {}"
            assert client.get("/media/m.txt").headers["cache-control"] == "max-age=1"
        settings.INSTALLED_APPS = ["django.contrib.admin", "django.contrib.staticfiles"]
        settings.STATIC_ROOT = None
        api = API()
        api.mount_static()
        with TestClient(api) as client:
            assert client.get("/assets/admin/css/base.css").status_code == 200
        settings.STATIC_URL, settings.MEDIA_URL = "https://cdn.example.org/", ""
        with pytest.raises(ConfigurationError, match="found nothing to serve"):
            API().mount_static()
