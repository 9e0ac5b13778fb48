"""What an error of the Graph API can mean to us: what to do, whom it concerns, and what to tell people."""

from __future__ import annotations

from datetime import timedelta

from bot.channels.base import Fault, SendErrorKind, Subject, Words

RETRY, SNOOZE, PERMANENT = SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.PERMANENT
UNREACHABLE, AUTH, UNKNOWN = SendErrorKind.UNREACHABLE, SendErrorKind.AUTH, SendErrorKind.UNKNOWN
MESSAGE, PERSON, ACCOUNT = Subject.MESSAGE, Subject.PERSON, Subject.ACCOUNT
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


# --- what happens on the way, without a word of the platform -------------------------------------------------------

NOT_REACHED = Fault(
    RETRY,
    MESSAGE,
    Words(
        "Facebook could not be reached; nothing was sent, and we try again. If it lasts, whoever runs this service "
        "should check the network and DNS.",
        "Không kết nối được tới Facebook; tin chưa được gửi, hệ thống sẽ gửi lại. Nếu kéo dài, người vận hành cần kiểm "
        "tra mạng và DNS.",
    ),
)
OUTCOME_LOST = Fault(
    UNKNOWN,
    MESSAGE,
    Words(
        "Facebook's answer was lost, so the message may have gone out; we find out before we try again.",
        "Không nhận được phản hồi của Facebook nên tin có thể đã gửi; hệ thống sẽ kiểm tra trước khi gửi lại.",
    ),
)
READ_FAILED = Fault(
    RETRY,
    MESSAGE,
    Words(
        "Facebook did not answer a question of ours; we ask again.",
        "Facebook chưa trả lời yêu cầu đọc dữ liệu; hệ thống sẽ hỏi lại.",
    ),
)
BUSY = Fault(
    RETRY,
    MESSAGE,
    Words(
        "Facebook is busy and asked us to come back later; we do.",
        "Facebook đang quá tải và yêu cầu thử lại sau; hệ thống sẽ tự gửi lại.",
    ),
    MINUTE,
)
REFUSED_UNREAD = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "The address answered, but not as Facebook's Graph API: whoever runs this service must check "
        "MESSENGER_GRAPH_URL and any proxy in between.",
        "Địa chỉ có trả lời nhưng không phải Graph API của Facebook: người vận hành cần kiểm tra "
        "MESSENGER_GRAPH_URL và proxy (nếu có).",
    ),
)
RECONNECT = Fault(
    AUTH,
    ACCOUNT,
    Words(
        "The Page's access token is no longer valid: the Page's admin must connect the Page again.",
        "Mã truy cập của Trang không còn hiệu lực: quản trị Trang cần kết nối lại Trang.",
    ),
)
USER_TOKEN = Fault(
    AUTH,
    ACCOUNT,
    Words(
        "Facebook does not accept this user token, which lives for about an hour: the Page's admin must make a new one "
        "in the Graph API Explorer, for this app.",
        "Facebook không chấp nhận mã truy cập người dùng này (chỉ sống khoảng một giờ): quản trị Trang cần tạo mã mới "
        "trong Graph API Explorer, đúng ứng dụng này.",
    ),
)
NOT_SUBSCRIBED = Fault(
    PERMANENT,
    ACCOUNT,
    Words(
        "Facebook did not confirm that it tells us of this Page: the Page's admin connects it again, or subscribes it "
        "to the webhook fields in the app's Messenger settings.",
        "Facebook chưa xác nhận gửi sự kiện của Trang này: quản trị Trang cần kết nối lại, hoặc đăng ký các trường "
        "webhook cho Trang trong phần Messenger của ứng dụng.",
    ),
)

# --- what the platform says ----------------------------------------------------------------------------------------

UNKNOWN_REFUSAL = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "Facebook refused this with an error we do not know: whoever runs this service can look it up in Meta's error "
        "list, then replay the message.",
        "Facebook từ chối với một lỗi chưa biết: người vận hành cần tra mã lỗi trong tài liệu của Meta rồi gửi lại "
        "tin.",
    ),
)
UNKNOWN_TROUBLE = Fault(
    RETRY,
    MESSAGE,
    Words(
        "Facebook has trouble of its own; we try again.",
        "Facebook đang gặp sự cố; hệ thống sẽ tự gửi lại.",
    ),
)
PASSING = Fault(
    RETRY,
    MESSAGE,
    Words(
        "A passing fault at Facebook; we try again. If it never passes, the person may have blocked the Page.",
        "Lỗi tạm thời từ Facebook; hệ thống sẽ gửi lại. Nếu lỗi không hết, có thể người nhận đã chặn Trang.",
    ),
    MINUTE,
)
FETCH = Fault(
    RETRY,
    MESSAGE,
    Words(
        "Facebook could not fetch the picture or file in time; we try again. Whoever chose it should make sure that "
        "its link is public, quick and under 8 MB (25 MB for other files).",
        "Facebook không tải được ảnh hoặc tệp; hệ thống sẽ gửi lại. Người chọn ảnh cần bảo đảm đường dẫn công khai, "
        "nhanh và dưới 8 MB (tệp khác dưới 25 MB).",
    ),
    MINUTE,
)
FLOW_RUNNING = Fault(
    RETRY,
    PERSON,
    Words(
        "An automated question flow of the Page is still running with this person; we try again later.",
        "Trang đang chạy luồng hỏi đáp tự động với người này; hệ thống sẽ gửi lại sau.",
    ),
    5 * MINUTE,
)
MAYBE_SENT = Fault(
    UNKNOWN,
    MESSAGE,
    Words(
        "Facebook answered with an error although the message may have gone out; we wait for its echo.",
        "Facebook báo lỗi nhưng tin có thể đã được gửi; hệ thống chờ xác nhận trước khi gửi lại.",
    ),
)
THROTTLED = Fault(
    SNOOZE,
    ACCOUNT,
    Words(
        "Too many calls: Facebook asks the Page to pause. Sending goes on by itself; nobody needs to act.",
        "Gửi quá nhiều: Facebook yêu cầu Trang tạm dừng. Việc gửi sẽ tự tiếp tục, không cần thao tác.",
    ),
    5 * MINUTE,
)
WINDOW = Fault(
    PERMANENT,
    PERSON,
    Words(
        "The reply window is closed: we may write again once the person writes to the Page.",
        "Đã hết thời hạn phản hồi: chỉ có thể nhắn lại khi khách nhắn tin cho Trang.",
    ),
)
GONE = Fault(
    UNREACHABLE,
    PERSON,
    Words(
        "This person cannot be reached: they blocked the Page, closed their account, or never wrote to this Page; "
        "staff must reach them another way.",
        "Không nhắn được cho người này: họ đã chặn Trang, đóng tài khoản hoặc chưa từng nhắn cho Trang; nhân viên cần "
        "liên hệ khách bằng cách khác.",
    ),
)
NOT_OWNER = Fault(
    SendErrorKind.ELSEWHERE,
    PERSON,
    Words(
        "Another app or the Page inbox holds this conversation: staff can finish there, or the Page's admin makes "
        "this app the default in Conversation Routing.",
        "Ứng dụng khác hoặc Hộp thư Trang đang giữ cuộc trò chuyện: nhân viên có thể trả lời tại đó, hoặc quản trị "
        "Trang đặt ứng dụng này làm mặc định trong Định tuyến cuộc trò chuyện.",
    ),
    HOUR,
)
RESTRICTED = Fault(
    SNOOZE,
    ACCOUNT,
    Words(
        "Facebook restricted the Page for a while: the Page's admin must read why in Page Quality, and appeal or wait.",
        "Facebook đang tạm hạn chế Trang: quản trị Trang cần mở mục Chất lượng Trang để xem lý do, khiếu nại hoặc chờ.",
    ),
    HOUR,
)
TOO_OFTEN_TAGGED = Fault(
    SNOOZE,
    PERSON,
    Words(
        "Facebook warns that this person gets tagged messages too often: staff should write less until they answer.",
        "Facebook cảnh báo người này nhận quá nhiều tin ngoài thời hạn: nhân viên nên nhắn ít lại cho tới khi họ trả "
        "lời.",
    ),
    HOUR,
)
PERMISSION = Fault(
    PERMANENT,
    ACCOUNT,
    Words(
        "The app lacks a permission or is not live: the app's admin must publish it and get pages_messaging approved, "
        "then the Page's admin connects the Page again.",
        "Ứng dụng thiếu quyền hoặc chưa công khai: quản trị ứng dụng cần công khai và xin duyệt pages_messaging, "
        "sau đó quản trị Trang kết nối lại Trang.",
    ),
)
TERMS = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "The Page's admin must accept Meta's terms for Page contacts once, in the Page's settings.",
        "Quản trị Trang cần chấp nhận điều khoản liên hệ của Trang một lần trong phần cài đặt Trang.",
    ),
)
BAD_REQUEST = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "Facebook does not accept this message as it is built: whoever wrote it must mend its content before it is "
        "sent again.",
        "Facebook không chấp nhận nội dung tin này: người soạn tin cần sửa nội dung trước khi gửi lại.",
    ),
)
DEAD_TAG = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "The message used a tag that Meta switched off in April 2026: please report it to the makers of this program.",
        "Tin dùng thẻ mà Meta đã ngừng từ tháng 4/2026; đây là lỗi của phần mềm, hãy báo cho nhóm phát triển.",
    ),
)
FILE = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "Facebook refused the picture or file: whoever chose it must choose another one, smaller and of a usual type.",
        "Facebook từ chối ảnh hoặc tệp này: người chọn cần chọn tệp khác nhỏ hơn và đúng định dạng.",
    ),
)
STALE_UPLOAD = Fault(
    RETRY,
    Subject.UPLOAD,
    Words(
        "Facebook no longer holds the picture or file that was uploaded; we upload it again.",
        "Facebook không còn giữ ảnh hoặc tệp đã tải lên; hệ thống sẽ tải lên lại.",
    ),
)
SKIPPED = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "Nobody needs to act: this was already answered, deleted, or asked too early.",
        "Không cần ai xử lý: nội dung này đã được trả lời, đã xóa hoặc được yêu cầu quá sớm.",
    ),
)
ANSWERED_BEFORE = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "This comment has its private answer already; nobody needs to act.",
        "Bình luận này đã được trả lời riêng; không cần ai xử lý.",
    ),
)
NO_PROFILE = Fault(
    PERMANENT,
    PERSON,
    Words(
        "Facebook does not show this person's profile to the app: nobody needs to act, messages are not affected.",
        "Facebook không cho ứng dụng xem hồ sơ của người này: không cần ai xử lý, việc nhắn tin không bị ảnh hưởng.",
    ),
)
PROFILE_RIGHT = Fault(
    PERMANENT,
    PERSON,
    Words(
        "The app may not see this part of people's profiles: the app's admin can ask Meta to approve it; messages are "
        "not affected.",
        "Ứng dụng chưa được xem phần hồ sơ này của khách: quản trị ứng dụng có thể xin Meta duyệt quyền; việc nhắn tin "
        "không bị ảnh hưởng.",
    ),
)
NOT_OURS = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "This error belongs to another product (Instagram, games, payments, calls, web views) that is not used here: "
        "whoever runs this service should check which app and Page the token belongs to.",
        "Lỗi này thuộc sản phẩm khác (Instagram, trò chơi, thanh toán, cuộc gọi, webview) không dùng ở đây: "
        "người vận hành cần kiểm tra mã truy cập thuộc ứng dụng và Trang nào.",
    ),
)
TOPIC_STOPPED = Fault(
    PERMANENT,
    PERSON,
    Words(
        "The person stopped these marketing messages, or the permission ran out: the person must opt in again.",
        "Khách đã ngừng nhận loại tin tiếp thị này hoặc quyền đã hết hạn: khách cần đăng ký lại.",
    ),
)
AD_NOT_READY = Fault(
    SNOOZE,
    MESSAGE,
    Words(
        "The marketing message is still being prepared at Meta; we try again within the hour.",
        "Tin tiếp thị đang được Meta chuẩn bị; hệ thống sẽ thử lại trong vòng một giờ.",
    ),
    HOUR,
)
AD_TOO_SOON = Fault(
    SNOOZE,
    PERSON,
    Words(
        "This person got a marketing message lately: at most one in twelve hours, and Meta caps them across brands; we "
        "try again later.",
        "Người này vừa nhận tin tiếp thị: tối đa một tin trong mười hai giờ, Meta còn giới hạn chung các nhãn hàng; "
        "hệ thống sẽ gửi lại sau.",
    ),
    12 * HOUR,
)
AD_ACCOUNT = Fault(
    PERMANENT,
    ACCOUNT,
    Words(
        "The ad account cannot pay or its terms or budget are open: its admin must settle that in Ads Manager.",
        "Tài khoản quảng cáo chưa thanh toán được, hoặc còn vướng điều khoản, ngân sách: quản trị cần xử lý trong "
        "Trình quản lý quảng cáo.",
    ),
)
AD_REGION = Fault(
    PERMANENT,
    PERSON,
    Words(
        "Marketing messages are not offered in this person's or this business's country: staff must reach them another "
        "way.",
        "Tin tiếp thị không được hỗ trợ tại quốc gia của người nhận hoặc của doanh nghiệp: nhân viên cần liên hệ khách "
        "bằng cách khác.",
    ),
)
AD_OTHER = Fault(
    PERMANENT,
    MESSAGE,
    Words(
        "Meta's marketing message service refused this: its admin must look the code up in Meta's error list.",
        "Dịch vụ tin tiếp thị của Meta từ chối: quản trị cần tra mã lỗi trong tài liệu của Meta.",
    ),
)
