"""A shop with very many customers, made by one statement a table: what segments and audiences are measured on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text
from sqlmodel import Session

from crm import programmes
from crm.programme import HOME
from crm.sample_shop import PROGRAMME
from storage import engines, migrate

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) ",
    "postgresql": "WITH n AS (SELECT i::bigint FROM generate_series(1, {rows}) i) ",
}
_AGO = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', '2026-11-23 03:00:00', '-' || ({minutes}) || ' minutes') || '.000000'",
    "postgresql": "timestamptz '2026-11-23 03:00:00+00' - ({minutes}) * interval '1 minute'",
}
_BIG = 15_485_863
_TABLES = (
    (
        "customer",
        "id, name, email, birthday, locale, external_id, external_version, marketing, created_at, updated_at",
        "i, 'Khách', '', CASE WHEN i % 4 = 0 THEN '1990-' || substr('010203040506070809101112', CAST(i / 4 % 12 * 2 "
        "+ 1 AS integer), 2) || '-15' ELSE '' END, '', 'K' || i, 1, CASE WHEN i % 10 < 6 THEN 'granted' WHEN i % 10 = "
        "7 THEN 'withdrawn' ELSE '' END, {ago}, {ago}",
        "1 = 1", 1.0, f"i * {_BIG} % 1000000",
    ),
    (
        "identity",
        "id, customer_id, staff_only, channel, account_id, user_id, name, avatar_url, followed, last_interaction_at, "
        "referral, referral_source, ad_id, ad_title, created_at",
        "i, i, {false}, CASE WHEN i % 3 = 0 THEN 'messenger' ELSE 'zalo' END, 'a', 'u' || i, '', '', {false}, {ago}, "
        "'', '', '', '', {ago}",
        "i % 5 > 0", 1.0, f"i * {_BIG} % 160000",
    ),
    (
        "conversation", "id, holder, misses, dialog, dialog_data, minute_count, reason", "i, 'bot', 0, '', '', 0, ''",
        "i % 5 > 0", 1.0, "0",
    ),
    (
        "message", "id, conversation_id, author, text, media, message_id, reply_to, at, revision, reaction",
        "i, i * 7919 % ({rows} / 5) * 5 + i % 4 + 1, CASE i % 2 WHEN 0 THEN 'customer' ELSE 'bot' END, "
        "'Shop ơi, đơn của mình đến đâu rồi ạ?', '', '', '', {ago}, 0, ''",
        "1 = 1", 5.0, f"i * {_BIG} % 1584000",
    ),
    *(
        ("tag", "customer_id, folded, name, set_by, set_at", f"i, {name}, {name}, '', {{ago}}", where, 1.0, "0")
        for name, where in (
            ("'t1'", "i % 6 = 0"), ("'t3'", "i % 12 = 5"), ("'t7'", "i % 31 = 3"), ("'t9'", "i % 100 = 7"),
            ("'x' || (i % 30)", "1 = 1"),
        )
    ),
    (
        "consent_entry", "id, customer_id, purpose, granted, channel, covers, way, actor, wording, message_id, at",
        "i, i, 'marketing', i % 10 < 6, '', CASE WHEN i % 10 = 7 OR i % 5 = 0 THEN '' WHEN i % 3 = 0 THEN 'messenger' "
        "ELSE 'zalo' END, 'word', '', '', '', {ago}",
        "i % 10 < 6 OR i % 10 = 7", 1.0, f"i * {_BIG} % 400000",
    ),
    (
        "loyalty_member",
        "customer_id, joined_at, tier, tier_since, window_from, review_at, frozen_reason",
        "i, {ago}, CASE WHEN i * 7919 % 100 < 70 THEN 'member' WHEN i * 7919 % 100 < 90 THEN 'silver' ELSE 'gold' END, "
        "{ago}, {ago}, {ago}, ''",
        "i % 2 = 0", 1.0, f"i * {_BIG} % 400000",
    ),
    (
        "point_balance", "customer_id, currency, balance, pending, held, debt", "i, 'spend', i * 7919 % 3000, 0, 0, 0",
        "i % 2 = 0", 1.0, "0",
    ),
    (
        "sales_order",
        "id, source, external_id, code, code_key, customer_id, status, total, items, note, version, placed_at, "
        "updated_at",
        "i, 'pos', 'A' || i, 'A' || i, 'a' || i, i * 7919 % {rows} / (CASE WHEN i % 3 = 0 THEN 10 ELSE 1 END) + 1, "
        "CASE i % 10 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'returned' ELSE 'delivered' END, 20000 + i * 104729 % 2000000, "  # noqa: E501
        "'[]', '', 1, {ago}, {ago}",
        "1 = 1", 2.0, f"i * {_BIG} % 1584000",
    ),
)  # fmt: skip
"""Table, columns, values, which of the series, how many a customer, and how many minutes ago."""
_STANDING = (
    "INSERT INTO consent_standing (customer_id, purpose, channel, granted, at, entry_id) "
    "SELECT customer_id, purpose, covers, granted, at, id FROM consent_entry"
)


_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = '{table}'",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = '{table}' "
    "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
}  # fmt: skip


@contextmanager
def opened(url: str, rows: int) -> Iterator[Connection]:
    """A connection to the shop, as the product's readers have it.

    Where there is none it is made first, which takes minutes: twice as many orders as customers, five times as many
    messages, 1.4 tags and 0.8 chats a customer.
    """
    if engines.is_sqlite(url):
        path = engines.sqlite_path(url)
        if not path.exists():
            new = path.with_name(f"{path.name}.new")
            new.unlink(missing_ok=True)
            _make(f"sqlite:///{new}", rows)
            new.replace(path)
    else:
        _make(url, rows)
    migrate.upgrade(url)
    engine = engines.reader(url, 1)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _make(url: str, rows: int) -> None:
    """The shop, in one transaction; nothing where it is there."""
    migrate.upgrade(url)
    engine = engines.writer(url, "OFF")
    with engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:  # what is made here refers to what is there; looking that up takes longer than all the rest
            for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "cache_size=-2000000"):
                engines.execute(connection, f"PRAGMA {pragma}")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
            connection.exec_driver_sql("SET maintenance_work_mem = '1GB'")
        if connection.execute(text("SELECT 1 FROM customer LIMIT 1")).first():
            return
        _fill(connection, rows)
        connection.commit()
        if is_sqlite:
            engines.execute(connection, "PRAGMA journal_mode=WAL")
        else:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _fill(connection: Connection, rows: int) -> None:
    """Customers and theirs, in one statement a table, which gets its indexes afterwards."""
    with Session(bind=connection) as session:
        programmes.load(session, PROGRAMME.read_text("utf-8"), HOME, NOW - timedelta(days=400))
    dialect = connection.dialect.name
    indexes: list[str] = []
    for table in dict.fromkeys(each[0] for each in _TABLES):
        for name, made_by in connection.exec_driver_sql(_INDEXES[dialect].format(table=table)).all():
            connection.exec_driver_sql(f"DROP INDEX {name}")
            indexes.append(made_by)
    for table, columns, values, where, many, minutes in _TABLES:
        ago, no = _AGO[dialect].format(minutes=minutes), "0" if dialect == "sqlite" else "false"
        series = _SERIES[dialect].format(rows=int(rows * many))
        shown = values.format(ago=ago, false=no, rows=rows)
        statement = f"INSERT INTO {table} ({columns}) {series} SELECT {shown} FROM n WHERE {where}"
        connection.execute(text(statement.replace(":", "\\:")))
    connection.execute(text(_STANDING))
    for made_by in indexes:
        connection.exec_driver_sql(made_by)
