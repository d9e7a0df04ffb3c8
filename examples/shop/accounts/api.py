"""Accounts: signing up, token pairs, and who one is."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as Invalid
from django.db import IntegrityError, transaction
from shop.fields import STORABLE, Line

from accounts.access import CUSTOMERS, TOKENS
from plectrum import Conflict, Field, Request, Router, Schema, Unauthorized, ValidationError
from plectrum.auth.tokens import Pair

router = Router(tags=["accounts"])

WRONG = {Unauthorized: "What should prove who is asking does not."}

Name = Annotated[str, Field(min_length=1, max_length=150, pattern=r"^[A-Za-z0-9_.@+-]+$")]
Email = Annotated[str, Field(max_length=254, pattern=r"^[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]


class Registration(Schema):
    """A new customer."""

    username: Annotated[Name, Field(examples=["ada"])]
    email: Email
    password: Annotated[str, Field(min_length=8, max_length=128)]


class Credentials(Schema):
    """What a customer logs in with."""

    username: Annotated[str, Field(max_length=150, pattern=STORABLE)]
    password: Annotated[str, Field(max_length=128)]


class Renewal(Schema):
    """A refresh token."""

    refresh_token: Annotated[str, Field(max_length=4096)]


@dataclasses.dataclass
class Customer:
    """Somebody with an account."""

    id: int
    username: str
    email: str
    first_name: str
    last_name: str
    is_staff: bool

    @classmethod
    def of(cls, user: User) -> Customer:
        """As the API shows a user."""
        return cls(user.pk, user.username, user.email, user.first_name, user.last_name, user.is_staff)


class Profile(Schema):
    """What customers may change of themselves; what is not sent stays."""

    email: Email | None = None
    first_name: Line | None = None
    last_name: Line | None = None


@router.post("/accounts", status=201, sync=True, throttle=settings.LOGIN_RATE, responses=[Conflict])
def register(new: Registration) -> Customer:
    """Signs up. Django's password validators have their say."""
    user = User(username=new.username, email=new.email)
    try:
        validate_password(new.password, user)
    except Invalid as refused:
        errors = [{"loc": ["body", "password"], "type": "password", "msg": text} for text in refused.messages]
        raise ValidationError(errors) from None
    user.set_password(new.password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Conflict(f"The name {new.username!r} is taken.") from None
    return Customer.of(user)


@router.post("/tokens", sync=True, throttle=settings.LOGIN_RATE, responses=WRONG)
def log_in(credentials: Credentials) -> Pair:
    """Gives a token pair. Ten attempts a minute from one address, right or wrong."""
    user = authenticate(username=credentials.username, password=credentials.password)
    if user is None:
        raise Unauthorized("Name or password is wrong.", headers={"WWW-Authenticate": "Bearer"})
    return TOKENS.create_pair(user)


@router.post("/tokens/refresh", sync=True, responses=WRONG)
def renew(renewal: Renewal) -> Pair:
    """Gives a new pair for a refresh token, which is used up; one that comes twice ends its whole family."""
    return TOKENS.refresh(renewal.refresh_token)


@router.post("/tokens/revoke", status=204, sync=True, responses=WRONG)
def log_out(renewal: Renewal) -> None:
    """Ends a refresh token's family."""
    TOKENS.revoke(renewal.refresh_token)


@router.get("/me", auth=CUSTOMERS)
async def me(request: Request) -> Customer:
    """Who is asking, by token or session."""
    return Customer.of(await request.auser())


@router.patch("/me", auth=CUSTOMERS)
async def change_me(request: Request, profile: Profile) -> Customer:
    """Changes what is sent."""
    user = await request.auser()
    for name in ("email", "first_name", "last_name"):
        if (value := getattr(profile, name)) is not None:
            setattr(user, name, value)
    await user.asave(update_fields=["email", "first_name", "last_name"])
    return Customer.of(user)
