from __future__ import annotations

import functools
import json
from collections.abc import Callable

import pytest

from plectrum import errors

HERE = "tests/test_errors.py"


def test_problem_document() -> None:
    error = errors.HTTPException(409, "taken", type="https://example.com/taken", extra={"name": "Ada"})
    assert error.problem() == {
        "type": "https://example.com/taken",
        "title": "Conflict",
        "status": 409,
        "detail": "taken",
        "name": "Ada",
    }
    assert str(error) == "409 Conflict: taken"


def test_without_detail() -> None:
    assert errors.NotFound().problem() == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert str(errors.NotFound()) == "404 Not Found"


@pytest.mark.parametrize("status", [200, 302, 399, 600])
def test_only_error_statuses(status: int) -> None:
    with pytest.raises(ValueError, match=f"from 400 to 599, not {status}"):
        errors.HTTPException(status)


@pytest.mark.parametrize(("status", "title"), [(499, "Client Error"), (599, "Server Error"), (418, "I'm a Teapot")])
def test_titles(status: int, title: str) -> None:
    assert errors.HTTPException(status).title == title


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadRequest, 400),
        (errors.Unauthorized, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.ServiceUnavailable, 503),
    ],
)
def test_kinds(kind: Callable[..., errors.HTTPException], status: int) -> None:
    error = kind("why", headers={"X-A": "b"})
    assert (error.status, error.detail, error.headers) == (status, "why", {"X-A": "b"})
    assert json.dumps(error.problem())


def test_djangos_orm_in_async_code_says_the_way_out() -> None:
    from django.core.exceptions import SynchronousOnlyOperation

    from plectrum import bridge

    status, body, _ = bridge.describe_exception(SynchronousOnlyOperation("You cannot."), "popular", debug=True)
    assert status == 500
    assert "You cannot. Await the ORM's own (acount()" in json.loads(body)["detail"]


def test_retry_after() -> None:
    assert errors.ServiceUnavailable(retry_after=5).headers == {"Retry-After": "5"}


def test_validation_error_carries_its_errors() -> None:
    found = [{"loc": ["body", "name"], "type": "taken", "msg": "This name is taken."}]
    assert errors.ValidationError(found).problem() == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "errors": found,
    }


def decorated(function: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(function)
    def inner() -> None:
        function()

    return inner


@decorated
def with_decorator() -> None: ...


class Something:
    def method(self) -> None: ...


def test_line_of_functions_classes_and_wrappers() -> None:
    line = errors.line_of(with_decorator)
    assert line == f"{HERE}:{with_decorator.__wrapped__.__code__.co_firstlineno}"  # type: ignore[attr-defined]
    assert errors.line_of(functools.partial(with_decorator)) == line
    assert errors.line_of(Something().method).startswith(f"{HERE}:")
    assert errors.line_of(Something).startswith(f"{HERE}:")


def test_line_of_what_python_does_not_know() -> None:
    assert errors.line_of(len) == "builtins.len"


def test_line_of_error_is_the_users() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    assert str(errors.line_of_error(caught.value)).startswith(f"{HERE}:")
    assert errors.line_of_error(ValueError()) is None
