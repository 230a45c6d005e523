"""Database URLs as people and hosting companies write them."""

import pytest

from bot.errors import Invalid
from db.url import address


@pytest.mark.parametrize(
    ("given", "dsn"),
    [
        ("postgresql://ann:pw@db:5432/x", "postgresql://ann:pw@db:5432/x"),
        ("postgres://ann:p%40w@db/x", "postgresql://ann:p%40w@db/x"),
        ("postgresql+asyncpg://ann@db/x?ssl=require", "postgresql://ann@db/x?sslmode=require"),
        (
            "postgres://ann@db/x?sslmode=verify-full&channel_binding=require",
            "postgresql://ann@db/x?sslmode=verify-full",
        ),
        ("postgresql:///x?host=/run/postgresql", "postgresql:///x?host=%2Frun%2Fpostgresql"),
        (
            "postgresql://a@h1:1,h2:2/x?target_session_attrs=primary",
            "postgresql://a@h1:1,h2:2/x?target_session_attrs=primary",
        ),
        ("postgresql://a@h/x?gssencmode=disable&keepalives=1", "postgresql://a@h/x"),
    ],
)
def test_what_the_driver_gets(given: str, dsn: str) -> None:
    assert address(given).dsn == dsn


def test_how_long_a_connection_may_take() -> None:
    assert address("postgresql://h/x").timeout == 5
    assert address("postgresql://h/x?connect_timeout=2").timeout == 2


@pytest.mark.parametrize("given", ["mysql://a@h/x", "h/x", "", "sqlite:///x", "postgresql://[bad"])
def test_another_database_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        address(given)
    assert "postgresql://" in refused.value.remedy


@pytest.mark.parametrize("given", ["postgresql://h/x?sslmode", "postgresql://h/x?connect_timeout=soon"])
def test_parameters_that_cannot_be_read(given: str) -> None:
    with pytest.raises(Invalid, match="parameters that cannot be read"):
        address(given)


def test_the_password_is_in_no_log_line() -> None:
    assert "secret" not in repr(address("postgresql://ann:secret@h/x"))
