"""Why somebody was not written to, or waits, whom a broadcast or a care rule meant; why a broadcast rests: in words."""

from __future__ import annotations

from collections.abc import Mapping

from crm import care_checks, verdicts
from crm.broadcasts import Pause
from crm.care_rules import Words
from crm.reach import Refusal
from storage.recipients import DELIVERED, FAILED, PENDING, READ, SENDING, SENT, SKIPPED, UNKNOWN

_WORDS: Mapping[str, Words] = {
    Refusal.NEVER_WROTE: Words("khách chưa từng nhắn cho shop", "they never wrote to the shop"),
    Refusal.WINDOW_CLOSED: Words(
        "đã hết khung giờ nền tảng cho nhắn và không có mẫu tin",
        "the platform's window was closed, and there is no template",
    ),
    Refusal.OPTED_OUT: Words("khách không muốn nhận tin nữa", "they want to get no more of these"),
    Refusal.NO_CONSENT: Words("khách chưa đồng ý nhận tin", "they did not agree to get these"),
    Refusal.UNREACHABLE: Words("nền tảng không đưa tin tới khách được", "the platform cannot reach them"),
    Refusal.WRONG_TAG: Words("mẫu tin không dành cho việc này", "the template is for something else"),
    Refusal.NO_LANE: Words("không có cách gửi hợp lệ", "there is no lawful way to write to them"),
    Refusal.BAD_VALUES: Words("dữ liệu không khớp mẫu tin", "the values do not fit the template"),
    verdicts.Why.MERGED: Words("đã gửi qua hồ sơ khác của khách", "they are reached by another profile of theirs"),
    verdicts.Why.STAFF: Words("đây là nhân viên", "they are staff"),
    verdicts.Why.BLOCKED: Words("nhân viên đã chặn cuộc trò chuyện", "staff blocked the conversation"),
    verdicts.Why.TALKING: Words(
        "khách đang chờ hoặc đang nói chuyện với nhân viên", "they wait for staff, or talk with them"
    ),
    verdicts.Why.CAP: Words("khách đã nhận đủ số tin", "they got as many messages as one may get"),
    verdicts.Why.BUSY: Words("tin khác đang gửi cho khách", "something else is on its way to them"),
    verdicts.Why.PACE: Words("tới lượt thì gửi", "their turn comes at the account's pace"),
    verdicts.Why.NO_PLACE: Words("khách chưa có ở kênh nào", "they are on no channel"),
    verdicts.Why.UNWRITABLE: Words("không viết được nội dung cho khách này", "the text cannot be written for them"),
    verdicts.Why.CANCELLED: Words("đã hủy", "it was cancelled"),
    verdicts.Why.ERASED: Words("dữ liệu của khách đã được xóa", "their data was erased"),
    Pause.ACCOUNT: Words("tài khoản đang nghỉ", "the account rests"),
    Pause.QUOTA: Words("hết lượt của nền tảng", "the platform's quota is used up"),
    Pause.BUDGET: Words("hết ngân sách tháng", "the month's budget is used up"),
    Pause.TEMPLATE: Words("mẫu tin chưa dùng được", "the template cannot be used yet"),
    Pause.LIMIT: Words("gần giới hạn của nền tảng", "it is near the platform's limit"),
    care_checks.Why.RULE_OFF: Words("quy tắc đã tắt", "the rule was turned off"),
    care_checks.Why.LATE: Words("đã quá muộn", "it was too late"),
    care_checks.Why.CAUGHT_UP: Words(
        "vừa nhận tin khác sau thời gian ngừng gửi", "they got another one after sending had stood still"
    ),
    care_checks.Why.GOAL: Words("đã đạt mục tiêu", "the goal was reached"),
    care_checks.Why.VOID: Words("việc này không còn nữa", "what it was about is no more"),
    care_checks.Why.CONDITION: Words("không còn đúng điều kiện", "the condition does not hold"),
    care_checks.Why.UNREADABLE: Words(
        "điều kiện nhắc tới thứ không còn nữa", "the condition names what is gone: a tier, a field, a segment"
    ),
}


def words(reason: str) -> Words:
    """A reason as people read it; an error of a platform's is told as it is."""
    return _WORDS.get(reason, Words(reason, reason))


_PAUSES: Mapping[str, Words] = {
    Pause.HOURS: Words("ngoài giờ được gửi", "outside the hours in which one may write"),
    Pause.NOT_TAKEN: Words(
        "nền tảng đang bận hoặc không kết nối được", "the platform is busy or cannot be reached just now"
    ),
    Pause.LATE: Words("trễ giờ, vì hệ thống đã ngừng một thời gian", "its time passed while the service stood still"),
    Pause.UNFROZEN: Words("không chốt được danh sách khách", "its audience could not be worked out"),
    Pause.ERRORS: Words("lỗi quá nhiều", "too many failed"),
    Pause.APPROVAL: Words("chờ người thứ hai duyệt", "it waits for a second person's approval"),
    Pause.RESTORED: Words("dữ liệu vừa khôi phục từ bản sao lưu", "the data was restored from a backup"),
    Pause.STAFF: Words("nhân viên tạm dừng", "staff paused it"),
}


_STATES: Mapping[str, Words] = {
    PENDING: Words("chờ gửi", "wait"),
    SENDING: Words("đang gửi", "on their way"),
    SENT: Words("đã gửi", "sent"),
    DELIVERED: Words("đã tới máy", "delivered"),
    READ: Words("đã đọc", "read"),
    FAILED: Words("gửi lỗi", "failed"),
    SKIPPED: Words("không gửi", "not sent"),
    UNKNOWN: Words("chưa rõ có tới không", "unknown"),
}


def state(name: str) -> Words:
    """How it stands with somebody, as people read it."""
    return _STATES[name]


def paused(reason: str) -> Words:
    """Why a broadcast rests, as people read it."""
    return _PAUSES.get(reason) or words(reason)
