"""Mistakes the type checkers must find: an `ignore` that is not needed is an error itself."""

from __future__ import annotations

from plectrum import API, Field, HTTPException, Schema

api = API()


class Person(Schema):
    name: str
    age: int = 0


Person("Ada")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Person()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Person(name=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
HTTPException("404")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
API(title=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
api.get(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

Person.validate_json({"name": "Ada"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Field(str, max_length="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Field(str, maximum=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
misspelled = Person.validate({}).nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
