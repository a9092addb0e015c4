"""The migrations make the tables that `tables.py` describes, once, whoever starts them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from peewee import DataError, SqliteDatabase
from psycopg.conninfo import conninfo_to_dict

from symphony_server.store import migrate as migrations
from symphony_server.store.database import UnsupportedDatabase, parse_url
from symphony_server.store.migrate import SchemaNewer, migrate, pending
from symphony_server.store.postgresql import PostgresqlAddress
from symphony_server.store.session import DatabaseAddress
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.tables import TABLES
from tests.contract.store.plan_world import KINDS, Engine, all_rows, opened
from tests.engines import MIGRATIONS, POSTGRESQL
from tests.postgresql import Postgresql


def schema(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'schema_migration%'"
    ).fetchall()
    connection.close()
    return {row[0] for row in rows}


def test_the_migrations_make_what_the_tables_describe(tmp_path: Path) -> None:
    migrated, described = tmp_path / "migrated.db", tmp_path / "described.db"
    migrate(SqliteFile(migrated))
    database = SqliteDatabase(str(described))
    with database.bind_ctx(TABLES):
        database.create_tables(TABLES)
    database.close()
    assert schema(migrated) == schema(described)


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The kind and the URL of a database without a schema."""
    if request.param == POSTGRESQL:
        return POSTGRESQL, request.getfixturevalue("postgresql").empty_database()
    return request.param, f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.mark.parametrize("last", MIGRATIONS[:-1])
def test_what_an_older_version_kept_is_there_after_the_migrations_since(
    last: str, empty: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, url = empty
    since = MIGRATIONS.index(last) + 1
    older = tmp_path / "older"
    older.mkdir()
    for name in MIGRATIONS[:since]:
        shutil.copy(migrations.DIRECTORY / f"{name}.py", older)
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "DIRECTORY", older)
        with opened(kind, url) as engine:
            engine.fill(all_rows(100))
            kept = contents(engine)
    assert min(map(len, kept.values())) > 0
    assert migrate(parse_url(url)) == MIGRATIONS[since:]
    with opened(kind, url) as engine:
        assert contents(engine) == kept


def contents(engine: Engine) -> dict[str, list[Any]]:
    """Every row of the tables that `all_rows` fills."""
    return {
        table._meta.table_name: sorted(engine.compiled(table.select())().fetchall())
        for table in all_rows(0)
    }


def test_a_second_migration_finds_nothing_to_do(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "x.db")
    assert pending(file) == migrate(file) != []
    assert pending(file) == migrate(file) == []


def test_many_that_start_together_apply_each_migration_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from symphony_server.store.migrate import migrate;"
        "from symphony_server.store.sqlite_file import SqliteFile;"
        "print(*migrate(SqliteFile(Path(sys.argv[1]))))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "x.db")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    applied = [process.communicate()[0].split() for process in started]
    assert [process.returncode for process in started] == [0] * 4
    assert sorted(name for names in applied for name in names) == [
        "0001_initial",
        "0002_indexes_for_viewers",
    ]


def test_a_newer_schema_is_refused_by_name(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "x.db")
    migrate(file)
    connection = sqlite3.connect(file.path)
    connection.execute(
        "INSERT INTO schema_migration (name, applied) VALUES ('9999_future', '2030-01-01')"
    )
    connection.commit()
    connection.close()
    with pytest.raises(SchemaNewer, match="9999_future"):
        migrate(file)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "symphony.db",
        "mysql://x",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
    ],
)
def test_a_url_that_cannot_be_opened_is_refused_in_words(url: str) -> None:
    with pytest.raises(UnsupportedDatabase, match="sqlite:///"):
        parse_url(url)


def test_three_slashes_are_relative_and_four_absolute() -> None:
    assert parse_url("sqlite:///a/b.db") == SqliteFile(Path("a/b.db"))
    assert parse_url("sqlite:////a/b%20c.db") == SqliteFile(Path("/a/b c.db"))


def test_a_url_that_libpq_refuses_is_refused_in_its_words() -> None:
    with pytest.raises(UnsupportedDatabase, match=r'PostgreSQL.*"colour"'):
        parse_url("postgresql://h/d?colour=red")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://me:secret@one:1,two:2/data", "postgresql://one:1,two:2/data"),
        ("postgresql://me@one,two/data?password=secret&port=6", "postgresql://one:6,two:6/data"),
        ("postgresql:///data?host=/run/x&password=secret", "postgresql:///run/x/data"),
        ("postgresql://", "postgresql:///"),
    ],
)
def test_what_a_postgresql_url_names_is_shown_without_credentials(url: str, shown: str) -> None:
    address = parse_url(url)
    assert str(address) == shown
    assert "secret" not in repr(address)


def test_of_several_postgresql_hosts_the_one_that_takes_writes_is_meant() -> None:
    def attributes(url: str) -> object:
        address = parse_url(url)
        assert isinstance(address, PostgresqlAddress)
        return conninfo_to_dict(address.dsn).get("target_session_attrs")

    assert attributes("postgresql://one,two/d") == "read-write"
    assert attributes("postgresql://one,two/d?target_session_attrs=primary") == "primary"
    assert attributes("postgresql://one/d") is None


def test_without_psycopg_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UnsupportedDatabase, match=r"symphony-data\[server,postgres\]"):
        parse_url("postgresql://h/d")


def postgresql_schema(address: DatabaseAddress) -> set[tuple[Any, ...]]:
    with closing(address.open(read_only=True)) as session:
        columns = session.execute(
            "SELECT table_name, column_name, data_type, is_nullable, collation_name "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
        indexes = session.execute(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        ).fetchall()
    return {tuple(row) for row in (*columns, *indexes) if row[0] != "schema_migration"}


def test_the_migrations_make_the_same_on_postgresql(postgresql: Postgresql) -> None:
    migrated, described = (parse_url(postgresql.empty_database()) for _ in range(2))
    assert pending(migrated) == migrate(migrated) != []
    assert pending(migrated) == migrate(migrated) == []
    with closing(described.open(read_only=False)) as session, session.database.bind_ctx(TABLES):
        session.database.create_tables(TABLES)
    assert postgresql_schema(migrated) == postgresql_schema(described)
    assert len(postgresql_schema(migrated)) > 100


def test_ten_that_start_together_on_postgresql_apply_each_migration_once(
    postgresql: Postgresql,
) -> None:
    url = postgresql.empty_database()
    # Whatever the database would have otherwise.
    [(name,)] = postgresql.execute("SELECT current_database()", url)
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = serializable")
    together = threading.Barrier(10)

    def start(_: int) -> list[str]:
        together.wait()
        return migrate(parse_url(url))

    with ThreadPoolExecutor(10) as pool:
        applied = [name for names in pool.map(start, range(10)) for name in names]
    assert applied == MIGRATIONS


def test_a_newer_schema_on_postgresql_is_refused_by_name(postgresql: Postgresql) -> None:
    with postgresql.migrated() as url:
        postgresql.execute(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_future', '2030-01-01')",
            url,
        )
        with pytest.raises(SchemaNewer, match="9999_future"):
            migrate(parse_url(url))
        with pytest.raises(SchemaNewer, match="9999_future"):
            pending(parse_url(url))


def test_a_migration_that_fails_leaves_postgresql_as_it_was(
    postgresql: Postgresql, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    initial = (migrations.DIRECTORY / "0001_initial.py").read_text()
    (tmp_path / "0001_initial.py").write_text(initial)
    (tmp_path / "0002_wrong.py").write_text(
        "def up(migrator, database):\n    database.execute_sql('SELECT 1 / 0')\n"
    )
    monkeypatch.setattr(migrations, "DIRECTORY", tmp_path)
    url = postgresql.empty_database()
    with pytest.raises(DataError, match="division by zero"):
        migrate(parse_url(url))
    assert pending(parse_url(url)) == ["0001_initial", "0002_wrong"]
    assert not postgresql_schema(parse_url(url))
