"""The tables that every service's schema has, for its audit, outbox, idempotency keys, job tries and test clock."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import UserDefinedType


class TransactionNumber(UserDefinedType[str]):
    """PostgreSQL's xid8: the number of the transaction that wrote a row."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in DDL."""
        return "xid8"


def instant(name: str, nullable: bool = False) -> Column:
    """A column for an instant with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


class RuntimeTables:
    """The shared tables, once for each service's metadata."""

    def __init__(self, metadata: MetaData) -> None:
        self.audit_events = Table(
            "audit_events",
            metadata,
            Column("id", BigInteger, Identity(always=True), primary_key=True),
            Column("event_id", Text, nullable=False),
            Column("entity", Text, nullable=False),
            Column("entity_id", Text, nullable=False),
            Column("action", Text, nullable=False),
            Column("leaf", LargeBinary, nullable=False),
            Column("written_by", TransactionNumber, nullable=False, server_default=text("pg_current_xact_id()")),
            UniqueConstraint("event_id", name="audit_event_has_its_own_id"),
            Index("audit_events_in_order_of_transactions", "written_by", "id"),
        )
        self.audit_leaves = Table(
            "audit_leaves",
            metadata,
            Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
            Column("audit_event", BigInteger, ForeignKey(self.audit_events.c.id), nullable=False),
            UniqueConstraint("audit_event", name="audit_event_is_sealed_once"),
            CheckConstraint("leaf_index >= 0", name="audit_leaf_index_counts_from_zero"),
        )
        self.audit_nodes = Table(
            "audit_nodes",
            metadata,
            Column("level", SmallInteger, nullable=False),
            Column("position", BigInteger, nullable=False),
            Column("hash", LargeBinary, nullable=False),
            PrimaryKeyConstraint("level", "position", name="audit_node_is_hashed_once"),
            CheckConstraint("octet_length(hash) = 32", name="audit_node_is_a_sha256"),
        )
        self.audit_checkpoints = Table(
            "audit_checkpoints",
            metadata,
            Column("size", BigInteger, primary_key=True, autoincrement=False),
            Column("note", Text, nullable=False),
            instant("signed_at"),
        )
        self.outbox_messages = Table(
            "outbox_messages",
            metadata,
            Column("id", Text, primary_key=True),
            Column("kind", Text, nullable=False),
            Column("entity_id", Text, nullable=False),
            instant("created_at"),
            instant("delivered_at", nullable=True),
            instant("parked_at", nullable=True),
            Column("tries", Integer, nullable=False, server_default="0"),
            Column("last_failure", Text),
            CheckConstraint(
                "delivered_at is null or parked_at is null", name="outbox_message_is_delivered_or_parked_not_both"
            ),
        )
        self.idempotency_keys = Table(
            "idempotency_keys",
            metadata,
            Column("caller", Text, nullable=False),
            Column("key", Text, nullable=False),
            Column("fingerprint", LargeBinary, nullable=False),
            Column("status", SmallInteger),
            Column("answer", LargeBinary),
            instant("created_at"),
            PrimaryKeyConstraint("caller", "key", name="idempotency_key_is_used_once"),
            CheckConstraint("(status is null) = (answer is null)", name="idempotency_answer_is_whole"),
        )
        self.job_tries = Table(
            "job_tries",
            metadata,
            Column("job", BigInteger, primary_key=True, autoincrement=False),
            Column("tries", Integer, nullable=False),
        )
        self.test_clock = Table(
            "test_clock",
            metadata,
            Column("number", SmallInteger, primary_key=True, autoincrement=False),
            instant("now"),
            CheckConstraint("number = 1", name="test_clock_is_one"),
        )
