"""Zalo's error codes as data: what each asks us to do, whom it concerns, and what it means in words.

https://docs.zaloplatforms.com/docs/OA/phu-luc/ma-loi; the business host's codes are in `business_errors.py`.
"""

from __future__ import annotations

from bot.channels.base import Fault, Subject
from bot.channels.zalo.faults import fatal, fix, later, lost, mend, retry, spent, stale, unreachable
from bot.channels.zalo.remedies import (
    AGAIN,
    APP,
    EDIT,
    GROUP,
    ITSELF,
    OTHER_WAY,
    PACKAGE,
    RECONNECT,
    REFRESHED,
    REPORT,
    SETTINGS,
    VERIFY,
    WAIT,
    WALLET,
    WRITE_FIRST,
)

OA: dict[int, Fault] = {
    -32: later(60, "Too many calls in this minute", "Gọi API quá nhiều trong phút này", WAIT, Subject.ACCOUNT),
    -100: stale("The uploaded file has expired", "Tệp đã tải lên hết hạn", ITSELF),
    -200: retry("Zalo could not send the message", "Zalo chưa gửi được tin", ITSELF),
    -201: fatal("A parameter or the person's id is not valid", "Tham số hoặc mã người nhận không hợp lệ", REPORT),
    -202: fix("The signature of the call is wrong", "Chữ ký của lời gọi API bị sai", SETTINGS),
    -204: fix("The OA is disabled", "OA đang bị khóa", VERIFY),
    -205: fix("The OA does not exist", "OA không tồn tại", SETTINGS),
    -207: fix("The app is not registered as a third party", "Ứng dụng chưa đăng ký là bên thứ ba", APP),
    -208: fix("The OA has no secret key", "OA chưa có khóa bí mật", APP),
    -209: fix("The app is not activated", "Ứng dụng chưa được kích hoạt", APP),
    -210: fatal("The message is longer than Zalo allows", "Tin dài hơn mức Zalo cho phép", EDIT),
    -211: spent(6 * 3600, "The quota of this feature is used up", "Đã dùng hết hạn mức của tính năng", PACKAGE),
    -212: fix("The app has not registered this API product", "Ứng dụng chưa đăng ký sản phẩm API này", APP),
    -213: unreachable("The person does not follow the OA", "Khách chưa quan tâm OA", OTHER_WAY),
    -214: retry("The article is still being processed", "Bài viết đang được xử lý", ITSELF),
    -215: fix("The app id is wrong", "Mã ứng dụng bị sai", SETTINGS),
    -216: mend("The access token is not valid", "Mã truy cập không hợp lệ", REFRESHED),
    -217: lost("The person blocked invitations of the OA", "Khách đã chặn lời mời của OA", OTHER_WAY),
    -218: later(
        24 * 3600,
        "The person received as many messages as Zalo allows",
        "Khách đã nhận đủ số tin Zalo cho phép",
        WAIT,
        Subject.PERSON,
    ),
    -219: fix("The app was removed or disabled", "Ứng dụng đã bị gỡ hoặc bị khóa", APP),
    -220: mend("The access token has expired or was removed", "Mã truy cập đã hết hạn hoặc bị hủy", REFRESHED),
    -221: fix("The OA is not verified", "OA chưa được xác thực", VERIFY),
    -222: unreachable("The person's account is not active", "Tài khoản của khách không hoạt động", OTHER_WAY),
    -223: fix("The OA did not grant this right to the app", "OA chưa cấp quyền này cho ứng dụng", RECONNECT),
    -224: fix(
        "The OA's package does not include this or has ended", "Gói OA không có quyền này hoặc đã hết hạn", PACKAGE
    ),
    -227: unreachable(
        "The person is banned or was offline for over 45 days",
        "Khách bị khóa hoặc không hoạt động hơn 45 ngày",
        OTHER_WAY,
    ),
    -230: lost("The person has not written within 7 days", "Khách không tương tác trong 7 ngày qua", WRITE_FIRST),
    -231: lost("The time for consultation messages is over", "Đã hết thời gian gửi tin tư vấn", WRITE_FIRST),
    -232: lost("The person never wrote, or too long ago", "Khách chưa tương tác hoặc đã quá lâu", WRITE_FIRST),
    -233: fatal("Zalo does not take this kind of message", "Zalo không nhận loại tin này", REPORT),
    -234: later(
        3600, "Zalo takes no promotion between 22:00 and 06:00", "Zalo không nhận tin quảng bá từ 22:00 đến 06:00", WAIT
    ),
    -235: fix("This kind of OA has no right to the call", "Loại OA này không được dùng API", VERIFY),
    -237: fatal("The group is disabled because its package ended", "Nhóm bị khóa vì gói nhóm đã hết hạn", GROUP),
    -238: fatal("The group's package is already used", "Gói nhóm đã được sử dụng", GROUP),
    -240: fatal("This version of the message API is switched off", "Phiên bản API gửi tin này đã ngừng", REPORT),
    -241: fatal("The group's package is used or disabled", "Gói nhóm đã dùng hoặc bị khóa", GROUP),
    -242: fix("The proof made with the app secret is wrong", "Mã chứng thực từ khóa bí mật ứng dụng bị sai", SETTINGS),
    -244: lost("The person does not accept this kind of message", "Khách không nhận loại tin này", OTHER_WAY),
    -248: fatal(
        "The message breaks Zalo's rules, and repeating it endangers the OA",
        "Tin vi phạm quy định của Zalo, gửi lại có thể khiến OA bị phạt",
        EDIT,
    ),
    -249: fatal("This template cannot be sent by user id", "Mẫu tin này không gửi được theo mã người dùng", EDIT),
    -305: lost("Over 48 hours have passed since the person wrote", "Đã quá 48 giờ từ khi khách nhắn", WRITE_FIRST),
    -311: lost(
        "The free replies to this person are used up", "Đã dùng hết lượt trả lời miễn phí cho khách", WRITE_FIRST
    ),
    -320: spent(3600, "The OA has no Zalo Cloud Account", "OA chưa liên kết Zalo Cloud Account", WALLET),
    -321: spent(3600, "The Zalo Cloud Account has no money left", "Zalo Cloud Account đã hết tiền", WALLET),
    -403: fatal("The OA is not in this group", "OA không ở trong nhóm này", GROUP),
    -1340: fatal("The form does not exist", "Biểu mẫu không tồn tại", EDIT),
    -1341: fatal("The OA has no access to the form", "OA không có quyền dùng biểu mẫu", VERIFY),
}

OAUTH: dict[int, Fault] = {
    -14002: fix("The app id is wrong or the app is not active", "Mã ứng dụng sai hoặc ứng dụng chưa hoạt động", APP),
    -14003: fix("The callback address is not the saved one", "Địa chỉ callback không khớp với địa chỉ đã lưu", APP),
    -14004: fix("The app secret is wrong", "Khóa bí mật của ứng dụng bị sai", SETTINGS),
    -14012: fix("The grant of the OA is in dispute", "Quyền của OA đang có vấn đề", RECONNECT),
    -14020: mend("The refresh token was used or has expired", "Mã làm mới đã dùng hoặc đã hết hạn", RECONNECT),
    -14024: fix("The grant of the OA is in dispute", "Quyền của OA đang có vấn đề", RECONNECT),
}

STRANGE = retry("Zalo gave an error code that this program does not know", "Zalo trả về mã lỗi chưa biết", REPORT)
OAUTH_STRANGE = fix("Zalo refused to renew the access token", "Zalo từ chối làm mới mã truy cập", RECONNECT)
EXCHANGE_STRANGE = fix(
    "Zalo refused the code, which works once and for ten minutes",
    "Zalo từ chối mã cấp quyền, vốn chỉ dùng một lần trong mười phút",
    AGAIN,
)
UNAUTHORIZED = mend("Zalo does not accept the access token", "Zalo không chấp nhận mã truy cập", REFRESHED)
