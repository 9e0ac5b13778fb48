"""Staff in the API: who they are, and codes that pair their chats, for a program that manages a shop's people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from sqlmodel import Session

from crm import audit, staff
from crm.errors import Conflict
from crm.staff import PAIRING_LIFE, Role
from storage.database import Database
from web.operations import Call, Operation, Params


class NoParams(Params):
    """Nothing to say."""


class StaffParams(Params):
    """Which member of staff."""

    staff_id: Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]


class MemberOut(BaseModel):
    """A member of staff."""

    id: str
    name: str
    role: Role
    chats: Annotated[int, Field(description="In how many chats they give commands.")]
    on_shift: bool


class StaffOut(BaseModel):
    """All who are not revoked."""

    staff: list[MemberOut]


class PairingOut(BaseModel):
    """A code that the member of staff sends to the OA or Page, good once."""

    code: str
    expires_at: datetime


async def members(call: Call[NoParams, None]) -> StaffOut:
    """List the members of staff, without those who were revoked."""

    def read(session: Session) -> StaffOut:
        chats = [chat.staff_id for chat in staff.chats(session)]
        return StaffOut(
            staff=[
                MemberOut(
                    id=str(each.id),
                    name=each.name,
                    role=Role(each.role),
                    chats=chats.count(each.id),
                    on_shift=staff.is_on_shift(each, call.now),
                )
                for each in staff.active(session)
            ]
        )

    return await call.database.read(read)


async def pair(call: Call[StaffParams, None]) -> PairingOut:
    """Make a code that makes a chat theirs; earlier codes of theirs end.

    Not for admins: a key for a till must not open what only `khachquen staff pair` may.
    """
    code = await _issued(call.database, int(call.params.staff_id), call.now)
    return PairingOut(code=code, expires_at=call.now + PAIRING_LIFE)


async def _issued(database: Database, staff_id: int, now: datetime) -> str:
    def issue(session: Session) -> str:
        member = staff.find(session, min(staff_id, 2**63 - 1))
        if member.role == Role.ADMIN:
            raise Conflict(
                "Mã ghép của admin chỉ tạo bằng khachquen staff pair.",
                "Codes of admins are only made by khachquen staff pair.",
                field="staff_id",
            )
        code = staff.issue_pairing(session, member.id, now)
        audit.note(session, "staff.pair", now, subject="staff", subject_id=member.id, details="api")
        return code

    return await database.write(issue)


OPERATIONS = (
    Operation("GET", "/staff", "listStaff", "List the members of staff", NoParams, None, StaffOut, members),
    Operation("POST", "/staff/{staff_id}/pairing-code", "pairStaff", "Make a code that pairs a chat", StaffParams, None,
              PairingOut, pair),
)  # fmt: skip
