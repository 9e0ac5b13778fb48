"""The error codes of Zalo's business host (ZBS templates, formerly ZNS); they share numbers with the OA host's.

https://developers.zalo.me/docs/zbs-template-message/bang-ma-loi
"""

from __future__ import annotations

from bot.channels.base import Fault, Subject
from bot.channels.zalo.faults import fatal, fix, later, lost, mend, retry, spent, spent_on_promotion, stuck, unusable
from bot.channels.zalo.remedies import (
    APP,
    ITSELF,
    OTHER_WAY,
    RECONNECT,
    REFRESHED,
    REPORT,
    SETTINGS,
    TEMPLATE,
    WAIT,
    WALLET,
    ZBS,
)

BUSINESS: dict[int, Fault] = {
    -100: retry("Zalo met an unknown error", "Zalo gặp lỗi không xác định", ITSELF),
    -101: fix("The app is not valid", "Ứng dụng không hợp lệ", APP),
    -102: fix("The app does not exist", "Ứng dụng không tồn tại", APP),
    -103: fix("The app is not active", "Ứng dụng chưa hoạt động", APP),
    -104: fix("The app secret is wrong", "Khóa bí mật của ứng dụng bị sai", SETTINGS),
    -105: fix("The app is not linked to the OA", "Ứng dụng chưa liên kết với OA", RECONNECT),
    -106: fatal("The call is not supported", "Lời gọi API không được hỗ trợ", REPORT),
    -107: fatal("The message id is not valid", "Mã tin không hợp lệ", REPORT),
    -108: fatal("The phone number is not valid", "Số điện thoại không hợp lệ", OTHER_WAY),
    -109: unusable("The template id is not valid", "Mã mẫu tin không hợp lệ", TEMPLATE),
    -1091: fatal("The template cannot be edited", "Mẫu tin không sửa được", TEMPLATE),
    -110: lost("The person's Zalo is too old", "Phiên bản Zalo của khách quá cũ", OTHER_WAY),
    -111: fatal("The template's data is empty", "Dữ liệu của mẫu tin bị trống", TEMPLATE),
    -112: fatal("A value has no type in the template", "Mẫu tin không có kiểu dữ liệu này", TEMPLATE),
    -1121: fatal("A value is too long", "Một giá trị quá dài", TEMPLATE),
    -1122: fatal("A value is missing", "Thiếu một giá trị", TEMPLATE),
    -1123: fatal("The QR code could not be made", "Không tạo được mã QR", TEMPLATE),
    -1124: fatal("A value is not in the right format", "Một giá trị sai định dạng", TEMPLATE),
    -113: fatal("The button is not valid", "Nút bấm không hợp lệ", TEMPLATE),
    -1131: fatal("The button's content is not valid", "Nội dung nút bấm không hợp lệ", TEMPLATE),
    -1132: fatal("The template needs at least one button", "Mẫu tin cần ít nhất một nút bấm", TEMPLATE),
    -114: lost("The person cannot receive templates", "Khách không nhận được mẫu tin", OTHER_WAY),
    -115: spent(3600, "The quota or the balance is used up", "Đã hết hạn mức hoặc số dư", WALLET),
    -116: fatal("The text is not valid", "Nội dung tin không hợp lệ", TEMPLATE),
    -117: unusable("The OA has no right to this template", "OA không có quyền dùng mẫu tin này", TEMPLATE),
    -118: lost("The phone number has no active Zalo account", "Số điện thoại không có tài khoản Zalo", OTHER_WAY),
    -119: lost("The person's account cannot receive this", "Tài khoản của khách không nhận được tin", OTHER_WAY),
    -120: stuck("The OA has no right to this feature", "OA chưa có quyền dùng tính năng này", ZBS),
    -1201: stuck("The OA has no right to promotion templates", "OA chưa có quyền gửi mẫu tin quảng bá", ZBS),
    -1202: stuck("The OA has no right to media templates", "OA chưa có quyền gửi mẫu tin có hình", ZBS),
    -121: fatal("The call has no content", "Lời gọi API không có nội dung", REPORT),
    -122: fatal("The call is not JSON", "Lời gọi API không phải JSON", REPORT),
    -123: fatal("The encrypted phone number cannot be read", "Không giải mã được số điện thoại", REPORT),
    -124: mend("The access token is not valid", "Mã truy cập không hợp lệ", REFRESHED),
    -1241: fix("The proof made with the app secret is wrong", "Mã chứng thực từ khóa bí mật bị sai", SETTINGS),
    -125: fix("The OA's id is not valid", "Mã OA không hợp lệ", SETTINGS),
    -126: stuck("The wallet for trial messages is empty", "Ví gửi thử đã hết tiền", WALLET),
    -127: fatal("A trial message may go to admins only", "Tin gửi thử chỉ gửi được cho quản trị viên", SETTINGS),
    -128: fatal("The OA has no encryption key", "OA chưa có khóa mã hóa", REPORT),
    -129: fatal("The encryption key could not be made", "Không tạo được khóa mã hóa", REPORT),
    -130: fatal("The content is too long", "Nội dung quá dài", TEMPLATE),
    -131: unusable("The template is not approved", "Mẫu tin chưa được duyệt", TEMPLATE),
    -132: fatal("A parameter is not valid", "Tham số không hợp lệ", TEMPLATE),
    -133: later(3600, "Zalo takes no such template at night", "Zalo không nhận mẫu tin này ban đêm", WAIT),
    -134: lost("The person has not agreed to receive this", "Khách chưa đồng ý nhận tin", OTHER_WAY),
    -135: stuck("The OA has no right to send templates", "OA chưa có quyền gửi mẫu tin", ZBS),
    -1351: stuck("The OA is blocked for a violation", "OA bị chặn do vi phạm", ZBS),
    -136: spent(3600, "A Zalo Cloud Account must be linked", "Cần liên kết Zalo Cloud Account", WALLET),
    -137: spent(3600, "The Zalo Cloud Account could not be charged", "Không trừ được tiền Zalo Cloud Account", WALLET),
    -138: stuck("The app has no right to this feature", "Ứng dụng chưa có quyền dùng tính năng này", APP),
    -1381: stuck("The extension needs a Zalo Cloud Account", "Tiện ích cần Zalo Cloud Account", WALLET),
    -139: lost("The person refused this kind of template", "Khách từ chối loại mẫu tin này", OTHER_WAY),
    -140: lost("The person is not eligible for this template", "Khách không đủ điều kiện nhận mẫu tin này", OTHER_WAY),
    -141: lost("The person refused messages of this OA", "Khách từ chối nhận tin từ OA này", OTHER_WAY),
    -142: fatal("There is no encryption key", "Chưa có khóa mã hóa", REPORT),
    -143: fatal("The encryption key exists already", "Khóa mã hóa đã tồn tại", REPORT),
    -144: spent_on_promotion(
        6 * 3600, "The OA's daily limit of promotion is reached", "OA đã đạt hạn mức quảng bá trong ngày", WAIT
    ),
    -1441: spent_on_promotion(
        24 * 3600, "The OA's monthly promotion limit is reached", "OA đã đạt hạn mức quảng bá trong tháng", WAIT
    ),
    -145: fatal("The OA may not send this kind of content", "OA không được gửi loại nội dung này", ZBS),
    -146: unusable("The template is disabled for low quality", "Mẫu tin bị khóa do chất lượng thấp", TEMPLATE),
    -147: later(6 * 3600, "The template's daily limit is reached", "Mẫu tin đã đạt hạn mức trong ngày", WAIT),
    -1471: later(
        24 * 3600, "The person's monthly limit is reached", "Khách đã nhận đủ tin trong tháng", WAIT, Subject.PERSON
    ),
    -1472: later(
        6 * 3600, "The person's daily limit is reached", "Khách đã nhận đủ tin trong ngày", WAIT, Subject.PERSON
    ),
    -148: fatal("The journey token is missing", "Thiếu mã của hành trình", REPORT),
    -149: fatal("The journey token is not valid", "Mã của hành trình không hợp lệ", REPORT),
    -1491: fatal("The journey token is of the wrong type", "Mã của hành trình sai loại", REPORT),
    -150: fatal("The journey token has expired", "Mã của hành trình đã hết hạn", REPORT),
    -151: fatal("Encryption between the ends is not possible here", "Không mã hóa đầu cuối được tin này", REPORT),
    -152: fatal("The encrypted message is not valid", "Tin mã hóa đầu cuối không hợp lệ", REPORT),
    -153: fatal("The encrypted message was refused", "Tin mã hóa đầu cuối bị từ chối", REPORT),
    -158: fatal("The file is too large", "Tệp quá lớn", TEMPLATE),
    -159: fatal("The file's format is not allowed", "Định dạng tệp không được phép", TEMPLATE),
    -160: later(24 * 3600, "The daily limit of changes is reached", "Đã đạt giới hạn chỉnh sửa trong ngày", WAIT),
    -161: fatal("This way of sending is not allowed", "Hình thức gửi này không được phép", ZBS),
    -162: fatal("Sending beyond the quota is for promotion only", "Chỉ tin quảng bá được gửi vượt hạn mức", TEMPLATE),
}
