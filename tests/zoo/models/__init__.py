"""The model zoo: every field type of Django, every kind of relation and of inheritance."""

from .relations import (
    Author,
    Book,
    Contribution,
    Country,
    Cover,
    Door,
    FrontDoor,
    Label,
    Note,
    Place,
    Publisher,
    Restaurant,
    Trattoria,
)
from .remarks import Remark, Topic
from .specimens import EVERYWHERE, POSTGRES, Specimen

__all__ = [
    "EVERYWHERE",
    "POSTGRES",
    "Author",
    "Book",
    "Contribution",
    "Country",
    "Cover",
    "Door",
    "FrontDoor",
    "Label",
    "Note",
    "Place",
    "Publisher",
    "Remark",
    "Restaurant",
    "Specimen",
    "Topic",
    "Trattoria",
]
