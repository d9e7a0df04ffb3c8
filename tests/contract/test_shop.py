"""The shop over real sockets, as its customers and its staff use it: two workers, PostgreSQL, files, mails."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import json
import queue
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools.shop import COPIES, CUSTOMER, STAFF, shop, token_of

from .support import Answer, until

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def url(directory: Path) -> Iterator[str]:
    with shop(directory, workers=2, LOGIN_RATE="5/min") as url:
        yield url


def customer(url: str, key: int = CUSTOMER[2]) -> httpx.Client:
    return httpx.Client(base_url=f"{url}/api", headers={"authorization": f"Bearer {token_of(key)}"}, timeout=30)


@pytest.fixture(scope="module")
def ada(url: str) -> Iterator[httpx.Client]:
    with customer(url) as client:
        yield client


@pytest.fixture(scope="module")
def staff(url: str) -> Iterator[httpx.Client]:
    with customer(url, STAFF[2]) as client:
        yield client


@pytest.fixture
def anybody(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/api", timeout=30) as client:
        yield client


def live(client: httpx.Client, count: int) -> list[dict[str, Any]]:
    """Articles for sale."""
    found = client.get("/articles", params={"status": "live", "page_size": count}).json()["results"]
    assert len(found) == count
    return list(found)


def available(client: httpx.Client, article: int) -> int:
    return int(client.get("/stock", params={"article_id": article}).json()["results"][0]["available"])


def fill(client: httpx.Client, wanted: dict[int, int]) -> None:
    for article, quantity in wanted.items():
        assert client.put(f"/cart/{article}", json={"quantity": quantity}).status_code == 204


class TestCatalogue:
    def test_search_filters_and_order(self, anybody: httpx.Client) -> None:
        page = anybody.get("/articles", params={"search": "garden", "status": "live", "ordering": "-price"}).json()
        prices = [Decimal(article["price"]) for article in page["results"]]
        assert prices == sorted(prices, reverse=True)
        assert all("garden" in (row["title"] + row["body"]).lower() for row in page["results"])

    def test_a_new_comment_waits_for_approval(self, anybody: httpx.Client) -> None:
        article = live(anybody, 1)[0]
        path = f"/articles/{article['slug']}/comments"
        before = anybody.get(path).json()["results"]
        said = {"article_id": article["id"], "name": "Bob", "body": "Wonderful."}
        assert anybody.post("/comments", json=said).status_code == 201
        assert anybody.get(path).json()["results"] == before


class TestCart:
    def test_put_change_and_take(self, ada: httpx.Client) -> None:
        first, second = live(ada, 2)
        fill(ada, {first["id"]: 2, second["id"]: 1})
        fill(ada, {first["id"]: 3})
        lines = ada.get("/cart").json()
        assert {line["article_id"]: line["quantity"] for line in lines} == {first["id"]: 3, second["id"]: 1}
        assert {line["price"] for line in lines} == {first["price"], second["price"]}
        for article in (first, second):
            assert ada.delete(f"/cart/{article['id']}").status_code == 204
        assert ada.get("/cart").json() == []

    @pytest.mark.parametrize(("path", "quantity", "status"), [("1000000", 1, 404), ("1", 0, 422), ("x", 1, 422)])
    def test_what_cannot_be_put_in(self, ada: httpx.Client, path: str, quantity: int, status: int) -> None:
        assert ada.put(f"/cart/{path}", json={"quantity": quantity}).status_code == status

    def test_carts_have_owners(self, anybody: httpx.Client) -> None:
        refused = anybody.get("/cart")
        assert refused.status_code == 401
        assert "Bearer" in refused.headers["www-authenticate"]


class TestOrders:
    def test_an_order_takes_stock_keeps_prices_and_sends_a_mail(self, ada: httpx.Client, directory: Path) -> None:
        first, second = live(ada, 2)
        before = [available(ada, article["id"]) for article in (first, second)]
        fill(ada, {first["id"]: 2, second["id"]: 1})
        made = ada.post("/orders", json={"address": "1 Main Street"})
        assert made.status_code == 201, made.text
        order = made.json()
        assert Decimal(order["total"]) == 2 * Decimal(first["price"]) + Decimal(second["price"])
        assert [line["quantity"] for line in order["lines"]] == [2, 1]
        assert [available(ada, article["id"]) for article in (first, second)] == [before[0] - 2, before[1] - 1]
        assert ada.get("/cart").json() == []
        assert ada.get("/orders").json()["results"][0] == ada.get(f"/orders/{order['id']}").json() == order
        until(lambda: any(f"Your order {order['id']}" in mail.read_text() for mail in (directory / "mail").glob("*")))

    def test_an_empty_cart_is_no_order(self, ada: httpx.Client) -> None:
        refused = ada.post("/orders", json={"address": "1 Main Street"})
        assert (refused.status_code, refused.json()["detail"]) == (409, "The cart is empty.")

    def test_too_many_change_nothing(self, ada: httpx.Client, staff: httpx.Client) -> None:
        plenty, scarce = live(ada, 2)
        assert staff.put(f"/articles/{scarce['id']}/stock", json={"available": 1}).status_code == 200
        before = available(ada, plenty["id"])
        fill(ada, {plenty["id"]: 1, scarce["id"]: 2})
        refused = ada.post("/orders", json={"address": "1 Main Street"})
        assert (refused.status_code, refused.json()["articles"]) == (409, [scarce["id"]])
        assert (available(ada, plenty["id"]), available(ada, scarce["id"])) == (before, 1)
        assert len(ada.get("/cart").json()) == 2
        for article in (plenty, scarce):
            ada.delete(f"/cart/{article['id']}")

    def test_cancelling_gives_back_once(self, ada: httpx.Client) -> None:
        article = live(ada, 3)[2]
        before = available(ada, article["id"])
        fill(ada, {article["id"]: 4})
        order = ada.post("/orders", json={"address": "1 Main Street"}).json()["id"]
        assert [ada.post(f"/orders/{order}/cancel").status_code for _ in range(2)] == [204, 409]
        assert available(ada, article["id"]) == before

    def test_orders_belong_to_somebody(self, url: str, ada: httpx.Client, staff: httpx.Client) -> None:
        fill(ada, {live(ada, 1)[0]["id"]: 1})
        order = ada.post("/orders", json={"address": "1 Main Street"}).json()["id"]
        stranger = register(url, "stranger")
        with customer(url, stranger) as other:
            assert other.get(f"/orders/{order}").status_code == 404
            refused = other.post(f"/orders/{order}/cancel")
            assert (refused.status_code, refused.json()["detail"]) == (403, "It is somebody else's order.")
            assert other.get("/orders").json()["results"] == []
            assert other.get("/staff/orders").status_code == 403
            assert other.post(f"/staff/orders/{order}/ship").status_code == 403
        assert staff.get(f"/staff/orders/{order}").status_code == 200
        assert order in [found["id"] for found in staff.get("/staff/orders?status=placed").json()["results"]]
        assert [staff.post(f"/staff/orders/{order}/ship").status_code for _ in range(2)] == [204, 409]
        assert ada.post(f"/orders/{order}/cancel").status_code == 409

    def test_stock_is_never_negative(self, url: str, staff: httpx.Client) -> None:
        """Twelve customers at once, on connections of their own over two workers, want more than there is, in every
        order of two articles."""
        first, second = (article["id"] for article in live(staff, 5)[3:5])
        for article in (first, second):
            assert staff.put(f"/articles/{article}/stock", json={"available": 20}).status_code == 200
        people = [register(url, f"buyer{number}", index=number) for number in range(12)]
        gate = threading.Barrier(len(people))

        def buy(number: int) -> list[int]:
            statuses: list[int] = []
            with customer(url, people[number]) as client:
                for _ in range(4):
                    fill(client, dict.fromkeys((first, second) if number % 2 else (second, first), 1))
                    gate.wait(30)
                    statuses.append(client.post("/orders", json={"address": f"{number} Main Street"}).status_code)
            return statuses

        with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
            statuses = [status for each in pool.map(buy, range(len(people))) for status in each]
        assert sorted(set(statuses)) == [201, 409]
        assert statuses.count(201) == 20
        assert (available(staff, first), available(staff, second)) == (0, 0)

    def test_two_clicks_make_one_order(self, url: str) -> None:
        person = register(url, "hasty", index=20)
        with customer(url, person) as client:
            fill(client, {live(client, 1)[0]["id"]: 1})

            def order(_: int) -> int:
                with customer(url, person) as other:
                    return other.post("/orders", json={"address": "1 Main Street"}).status_code

            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                assert sorted(pool.map(order, range(4))) == [201, 409, 409, 409]
            assert len(client.get("/orders").json()["results"]) == 1


class TestStock:
    def test_changes_are_heard(self, url: str, staff: httpx.Client) -> None:
        article = live(staff, 6)[5]["id"]
        heard: queue.Queue[Any] = queue.Queue()
        ready = threading.Event()

        def listen() -> None:
            with httpx.stream("GET", f"{url}/api/stock/feed?article_id={article}", timeout=30) as events:
                ready.set()
                for line in events.iter_lines():
                    if line.startswith("data: "):
                        heard.put(json.loads(line[6:]))
                        return

        listener = threading.Thread(target=listen)
        listener.start()
        assert ready.wait(10)
        count = itertools.count(COPIES + 1)

        def told() -> bool:  # the worker's first listener waits for PostgreSQL's word that it is heard
            assert staff.put(f"/articles/{article}/stock", json={"available": next(count)}).status_code == 200
            with contextlib.suppress(queue.Empty):
                return bool(heard.get(timeout=0.2)["available"] > COPIES)
            return False

        until(told)
        listener.join(10)

    def test_only_staff_counts(self, ada: httpx.Client, staff: httpx.Client, anybody: httpx.Client) -> None:
        count = {"available": 1}
        assert ada.put("/articles/1/stock", json=count).status_code == 403
        assert anybody.put("/articles/1/stock", json=count).status_code == 401
        assert staff.put("/articles/1000000/stock", json=count).status_code == 404
        assert staff.put("/articles/1/stock", json={"available": -1}).status_code == 422


class TestPictures:
    def test_up_shown_and_down(self, url: str, staff: httpx.Client, anybody: httpx.Client) -> None:
        sent = {"image": ("../../my cat.png", PNG, "image/png")}
        made = staff.post("/articles/1/pictures", files=sent, data={"caption": "A cat"})
        assert made.status_code == 201, made.text
        [shown] = anybody.get("/articles/1/pictures").json()
        assert (shown["caption"], shown["size"]) == ("A cat", len(PNG))
        file = httpx.get(url + shown["image"])
        assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
        assert staff.delete(f"/pictures/{shown['id']}").status_code == 204
        assert httpx.get(url + shown["image"]).status_code == 404
        assert staff.delete(f"/pictures/{shown['id']}").status_code == 404

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"GIF", "image/gif"), (b"<svg onload=alert(1)>", "image/png"),
            (PNG, "text/html"), (PNG * 20_000, "image/png"),
        ],
        ids=["cut", "script", "type", "size"],
    )  # fmt: skip
    def test_what_is_no_picture(self, staff: httpx.Client, content: bytes, kind: str) -> None:
        refused = staff.post("/articles/1/pictures", files={"image": ("a.png", content, kind)})
        assert (refused.status_code, refused.json()["errors"][0]["loc"][-1]) == (422, "image")

    def test_only_staff(self, ada: httpx.Client) -> None:
        assert ada.post("/articles/1/pictures", files={"image": ("a.png", PNG, "image/png")}).status_code == 403


class TestAccounts:
    def test_tokens_are_renewed_once_and_revoked_for_all_workers(self, url: str) -> None:
        name, password, key = CUSTOMER
        with httpx.Client(base_url=f"{url}/api", headers={"x-forwarded-for": "1.2.3.4"}) as client:
            pair = client.post("/tokens", json={"username": name, "password": password}).json()
            mine = client.get("/me", headers={"authorization": f"Bearer {pair['access_token']}"}).json()
            assert (mine["id"], mine["username"], mine["is_staff"]) == (key, name, False)
            renewed = client.post("/tokens/refresh", json={"refresh_token": pair["refresh_token"]}).json()
        for _ in range(4):  # whichever worker: used up, and then the whole family is
            again = httpx.post(f"{url}/api/tokens/refresh", json={"refresh_token": pair["refresh_token"]})
            assert again.status_code == 401
        refused = httpx.post(f"{url}/api/tokens/refresh", json={"refresh_token": renewed["refresh_token"]})
        assert refused.status_code == 401

    def test_logging_out(self, url: str, ada: httpx.Client) -> None:
        pair = {"refresh_token": refresh_of(CUSTOMER[2])}
        assert ada.post("/tokens/revoke", json=pair).status_code == 204
        assert ada.post("/tokens/refresh", json=pair).status_code == 401

    def test_names_are_taken_once_and_passwords_are_judged(self, url: str) -> None:
        taken = sign_up(url, "ada", index=40)
        assert (taken.status_code, taken.json()["detail"]) == (409, "The name 'ada' is taken.")
        weak = sign_up(url, "weak", index=41, password="password")
        assert (weak.status_code, weak.json()["errors"][0]["loc"]) == (422, ["body", "password"])

    def test_attempts_are_counted(self, url: str) -> None:
        wrong = {"username": "ada", "password": "wrong"}
        with from_address(url, 50) as client:
            answers = [client.post("/tokens", json=wrong) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) > 0

    def test_profiles_change_by_what_is_sent(self, ada: httpx.Client) -> None:
        assert ada.patch("/me", json={"first_name": "Ada"}).json()["first_name"] == "Ada"
        assert ada.patch("/me", json={}).json()["first_name"] == "Ada"
        assert ada.patch("/me", json={"email": "nowhere"}).status_code == 422


class TestSessions:
    def test_a_browser_logs_in_with_django_and_writes_with_a_csrf_token(self, url: str) -> None:
        with httpx.Client(base_url=url) as browser:
            browser.get("/login/")
            form = {
                "username": CUSTOMER[0],
                "password": CUSTOMER[1],
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            assert browser.post("/login/", data=form).status_code == 302
            assert browser.get("/api/me").json()["username"] == CUSTOMER[0]
            article = browser.get("/api/articles?status=live").json()["results"][0]["id"]
            refused = browser.put(f"/api/cart/{article}", json={"quantity": 1})
            assert refused.status_code == 403
            assert "CSRF" in refused.json()["detail"]
            token = {"x-csrftoken": browser.cookies["csrftoken"]}
            assert browser.put(f"/api/cart/{article}", json={"quantity": 1}, headers=token).status_code == 204
            assert browser.delete(f"/api/cart/{article}", headers=token).status_code == 204

    def test_another_site_cannot_write_in_a_users_name(self, url: str) -> None:
        """Django's own check, on one raw connection: forged origins and tokens are refused, and it stays usable."""
        with httpx.Client(base_url=url) as browser:
            browser.get("/login/")
            name, password, _ = CUSTOMER
            form = {"username": name, "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post("/login/", data=form).status_code == 302
            token, session = browser.cookies["csrftoken"], browser.cookies["sessionid"]
        host, _, port = url.removeprefix("http://").partition(":")
        cookie = f"cookie: sessionid={session}; csrftoken={token}"
        body = b'{"first_name": "Mallory"}'
        forged = [
            [cookie],
            [cookie, "x-csrftoken: " + "a" * 32],
            [cookie, f"x-csrftoken: {token}", "origin: https://evil.example"],
            [cookie, f"x-csrftoken: {token}", "origin: null"],
            [f"cookie: sessionid={session}", f"x-csrftoken: {token}"],
        ]
        with socket.create_connection((host, int(port)), 30) as connection:
            answers = connection.makefile("rb")
            for headers in forged:
                head = ["PATCH /api/me HTTP/1.1", f"host: {host}:{port}", "content-type: application/json", *headers]
                text = "\r\n".join([*head, f"content-length: {len(body)}", "", ""])
                connection.sendall(text.encode() + body)
                refused = Answer.read(answers)
                assert (refused.status, "CSRF" in refused.json()["detail"]) == (403, True), headers
                connection.sendall(f"GET /api/me HTTP/1.1\r\nhost: {host}:{port}\r\n{cookie}\r\n\r\n".encode())
                assert Answer.read(answers).json()["first_name"] != "Mallory"

    def test_the_admin(self, url: str) -> None:
        with httpx.Client(base_url=url, follow_redirects=True) as browser:
            page = browser.get("/admin/")
            assert "csrfmiddlewaretoken" in page.text
            assert browser.get("/static/admin/css/base.css").headers["content-type"].startswith("text/css")
            form = {"username": STAFF[0], "password": STAFF[1], "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert "Site administration" in browser.post(str(page.url), data=form).text
            for page in ("catalog/article", "orders/order", "stock/level", "pictures/picture"):
                assert browser.get(f"/admin/{page}/").status_code == 200
            browser.post("/admin/logout/", data={"csrfmiddlewaretoken": browser.cookies["csrftoken"]})


def from_address(url: str, index: int) -> httpx.Client:
    """A client of another address, as each may try five times a minute."""
    transport = httpx.HTTPTransport(local_address=f"127.0.1.{index + 1}")
    return httpx.Client(base_url=f"{url}/api", transport=transport, timeout=30)


def sign_up(url: str, name: str, *, index: int, password: str = "long enough, really") -> httpx.Response:
    with from_address(url, index) as client:
        account = {"username": name, "email": f"{name}@example.com", "password": password}
        return client.post("/accounts", json=account)


def register(url: str, name: str, *, index: int = 30) -> int:
    """A new customer's key."""
    made = sign_up(url, name, index=index)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


def refresh_of(user: int) -> str:
    from plectrum.auth.tokens import Tokens
    from tools.shop import SECRET_KEY

    return Tokens(key=SECRET_KEY).create_pair(user).refresh_token
