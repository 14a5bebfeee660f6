"""The audit trail on a real PostgreSQL: what its owner types past the application is refused, and the chain fits."""

from __future__ import annotations

import psycopg
import pytest

from tests.services.stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE accounts_auditentry CASCADE",
        "DELETE FROM accounts_auditentry",
        "UPDATE accounts_auditentry SET action = 'x'",
        "TRUNCATE accounts_auditlink",
        "DELETE FROM accounts_auditlink",
    ],
)
def test_postgresql_refuses_to_change_what_is_only_added_to(site: Stack, statement: str) -> None:
    site.manage("audit", "seal")
    with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as connection:
        for table in ("auditentry", "auditlink"):
            assert connection.execute(f"SELECT count(*) FROM accounts_{table}".encode()).fetchone() != (0,)
        with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
            connection.execute(statement.encode())


def test_the_chain_of_a_running_site_fits(site: Stack) -> None:
    site.manage("audit", "seal")
    assert "are as they were sealed" in site.manage("audit", "verify")
