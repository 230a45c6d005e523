"""What every table has in common: naming, types, and how a row gets its id and its time."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UnaryExpression,
    Uuid,
    desc,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.sql.elements import conv

from bot import clock

# The names PostgreSQL itself gives, so that the schema reads the same whoever created it.
_NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
}


class Base(DeclarativeBase):
    """Rows are the data carriers: they leave a service as they are, so nothing in them may load later. There are no
    relationships; where one is needed, it is `lazy="raise"`."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
        list[str]: JSONB(),
    }


Key = Annotated[UUID, mapped_column(primary_key=True, default=uuid4, server_default=func.gen_random_uuid())]
"""The id of a row that users see or name: known before it is written."""
Serial = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
"""The id of a row in a stream; grows, with gaps, in no particular order of commit."""
BigInt = Annotated[int, mapped_column(BigInteger)]
"""A Discord id, a counter, a revision."""
Moment = Annotated[datetime, mapped_column(default=lambda: clock.now(), server_default=func.now())]  # noqa: PLW0108 - tests replace clock.now
"""Business time: this process's clock writes it; PostgreSQL's own serves statements typed by hand."""
JsonObject = Annotated[dict[str, Any], mapped_column(JSONB, default=dict, server_default=text("'{}'"))]
JsonList = Annotated[list[str], mapped_column(JSONB, default=list, server_default=text("'[]'"))]


def check(name: str, sql: str) -> CheckConstraint:
    """A check with its whole name, as PostgreSQL would give it (`orgs_status_check`)."""
    return CheckConstraint(sql, name=conv(name))


def newest(column: str) -> UnaryExpression[Any]:
    """An index column whose largest values come first."""
    return desc(literal_column(column))


def partial(name: str, *columns: Any, where: str, unique: bool = False, **options: Any) -> Index:
    """An index over the rows that a statement looks for: an open one, a live one, one that is due."""
    return Index(name, *columns, unique=unique, postgresql_where=text(where), **options)
