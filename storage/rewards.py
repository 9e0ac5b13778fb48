"""How many of each reward were taken: the one row that everybody who takes it must pass."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, select, update
from sqlmodel import Field, Session, SQLModel

from storage.columns import BigInt, insert


class RewardTaken(SQLModel, table=True):
    """How many of a reward are taken; what is given back is taken no more."""

    __tablename__ = "reward_taken"
    __table_args__ = (CheckConstraint("taken >= 0", name="taken"),)

    reward: str = Field(primary_key=True, max_length=32)
    taken: int = Field(default=0, sa_type=BigInt)


_taken = RewardTaken.__table__  # type: ignore[attr-defined]


def taken(session: Session) -> dict[str, int]:
    """How many are taken, by reward; those that nobody took are left out."""
    return {row[0]: row[1] for row in session.connection().execute(select(_taken.c.reward, _taken.c.taken))}


def claim(session: Session, reward: str, stock: int | None) -> bool:
    """Take one; False where the stock is at its end. The reward's row is held until the transaction ends."""
    connection = session.connection()
    one_more = update(_taken).where(_taken.c.reward == reward).values(taken=_taken.c.taken + 1)
    if stock is not None:
        one_more = one_more.where(_taken.c.taken < stock)
    one_more = one_more.returning(_taken.c.taken)
    if connection.execute(one_more).first() is not None:
        return True
    row = insert(connection.dialect.name, _taken).values(reward=reward, taken=0)
    connection.execute(row.on_conflict_do_nothing(index_elements=["reward"]))
    return connection.execute(one_more).first() is not None


def put_back(session: Session, reward: str) -> None:
    """One that was taken is taken no more."""
    one_less = update(_taken).where(_taken.c.reward == reward).values(taken=_taken.c.taken - 1)
    session.connection().execute(one_less)
