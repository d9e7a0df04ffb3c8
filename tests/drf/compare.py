"""A serializer beside itself with the mixin: the same values of the same types, the same errors, the same exception."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import JSONRenderer

from plectrum.drf import RustJSONRenderer, RustSerializerMixin, installed, to_json


def rust(serializer: Any) -> Any:
    """The class with the mixin in front."""
    return type(serializer.__name__, (RustSerializerMixin, serializer), {})


def outcome(make: Any) -> Any:
    """What `make()` gives, with every type spelled out, or what it raises."""
    try:
        return typed(make())
    except Exception as error:
        return type(error), str(error)


def typed(value: Any) -> Any:
    if isinstance(value, dict):
        return type(value), [(typed(key), typed(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [typed(item) for item in value]
    # repr tells 1.0 from 1 and Decimal("1.0") from Decimal("1.00"); NaN equals itself there.
    return type(value), repr(value)


def same(serializer: Any, instance: Any, **options: Any) -> Any:
    """Asserts that mixin, switch and bytes answer as DRF does; gives DRF's answer."""
    fast = rust(serializer)
    expected = outcome(lambda: serializer(instance, **options).data)
    assert outcome(lambda: fast(instance, **options).data) == expected
    with installed():
        assert outcome(lambda: serializer(instance, **options).data) == expected
    text = outcome(lambda: JSONRenderer().render(serializer(instance, **options).data))
    assert outcome(lambda: to_json(fast(instance, **options))) == text
    assert outcome(lambda: RustJSONRenderer().render(fast(instance, **options).data)) == text
    return expected


def both_ways(serializer: Any, instance: Any, **options: Any) -> None:
    """One instance, two of it, and again on the same serializer."""
    same(serializer, instance, **options)
    same(serializer, [instance, instance], many=True, **options)
    made = rust(serializer)(**options)
    expected = outcome(lambda: serializer(**options).to_representation(instance))
    assert [outcome(lambda: made.to_representation(instance)) for _ in range(3)] == [expected] * 3


def validated(serializer: Any, data: Any, **options: Any) -> Any:
    """All that validation says, codes of errors included."""

    def run() -> Any:
        made = serializer(data=data, **options)
        valid = made.is_valid()
        errors = made.errors
        return valid, type(errors), coded(errors), made.validated_data

    return outcome(run)


def coded(errors: Any) -> Any:
    """Errors with the code of each."""
    if isinstance(errors, dict):
        return [(key, coded(value)) for key, value in errors.items()]
    if isinstance(errors, list):
        return [coded(value) for value in errors]
    return str(errors), getattr(errors, "code", None)


def accepts_alike(serializer: Any, data: Any, **options: Any) -> Any:
    """Asserts that mixin and switch validate as DRF does, alone and in lists; gives DRF's answer."""
    fast = rust(serializer)
    expected = validated(serializer, data, **options)
    assert validated(fast, data, **options) == expected
    many = validated(serializer, [data] * 3, many=True, **options)
    assert validated(fast, [data] * 3, many=True, **options) == many
    with installed():
        assert validated(serializer, data, **options) == expected
        assert validated(serializer, [data] * 3, many=True, **options) == many
    return expected
