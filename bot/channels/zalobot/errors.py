"""What the Bot API's error codes mean to us, by what was asked; and what happens on the way without a word of Zalo's.

https://docs.zaloplatforms.com/docs/BOT, "Bảng mã lỗi": 400, 401, 403 (an error within Zalo), 404, 408, 429. The page
names no code for a person who cannot be written to, and none for a bot whose updates go elsewhere.
"""

from __future__ import annotations

from datetime import timedelta

from bot.channels.base import Fault, SendErrorKind, Subject, Words

MINUTE = timedelta(minutes=1)

NOT_REACHED = Fault(
    SendErrorKind.RETRY,
    Subject.MESSAGE,
    Words(
        "Zalo's bot platform could not be reached; it is tried again by itself. If it lasts, whoever runs this service "
        "should check the network and DNS.",
        "Không kết nối được tới nền tảng Zalo Bot; hệ thống sẽ tự thử lại. Nếu kéo dài, người vận hành cần kiểm tra "
        "mạng và DNS.",
    ),
)
OUTCOME_LOST = Fault(
    SendErrorKind.UNKNOWN,
    Subject.MESSAGE,
    Words(
        "The answer of Zalo's bot platform was lost, so the message may have gone out.",
        "Không nhận được phản hồi của nền tảng Zalo Bot nên tin có thể đã gửi.",
    ),
)
READ_FAILED = Fault(
    SendErrorKind.RETRY,
    Subject.MESSAGE,
    Words(
        "Zalo's bot platform did not answer a question of ours; it is asked again.",
        "Nền tảng Zalo Bot chưa trả lời; hệ thống sẽ hỏi lại.",
    ),
)
TROUBLE = Fault(
    SendErrorKind.RETRY,
    Subject.MESSAGE,
    Words(
        "Zalo's bot platform has trouble of its own; it is tried again by itself.",
        "Nền tảng Zalo Bot đang gặp sự cố; hệ thống sẽ tự thử lại.",
    ),
)
SPENT = Fault(
    SendErrorKind.SNOOZE,
    Subject.ACCOUNT,
    Words(
        "The bot made as many calls as Zalo allows: it goes on by itself when the limit is lifted.",
        "Bot đã gọi Zalo hết số lượt cho phép: hệ thống tự tiếp tục khi hết giới hạn.",
    ),
    MINUTE,
)
TOKEN = Fault(
    SendErrorKind.AUTH,
    Subject.ACCOUNT,
    Words(
        "Zalo does not accept the bot's token: the bot's owner copies it anew from Zalo Bot Creator and connects the "
        "bot again.",
        "Zalo không chấp nhận Bot Token: chủ bot cần lấy lại token trong Zalo Bot Creator và kết nối lại bot.",
    ),
)
REFUSED = Fault(
    SendErrorKind.UNREACHABLE,
    Subject.PERSON,
    Words(
        "Zalo did not take the bot's message to this person: it can be written to again once they write to the bot.",
        "Zalo không nhận tin của bot gửi tới người này: khi họ nhắn lại cho bot thì gửi được.",
    ),
)
NOT_TAKEN = Fault(
    SendErrorKind.PERMANENT,
    Subject.MESSAGE,
    Words(
        "Zalo's bot platform refused the call: please report it to the makers of this program.",
        "Nền tảng Zalo Bot từ chối lời gọi: vui lòng báo cho nhóm phát triển phần mềm.",
    ),
)
WEBHOOK_SET = Fault(
    SendErrorKind.PERMANENT,
    Subject.ACCOUNT,
    Words(
        "A webhook is set for this bot, so Zalo posts what staff write to another program and tells us nothing. Its "
        "owner stops that program and removes the webhook (deleteWebhook), or makes a bot for this service alone; then "
        "it goes on by itself.",
        "Bot này đang đặt webhook nên Zalo gửi tin của nhân viên cho phần mềm khác. Chủ bot cần dừng phần mềm đó và gỡ "
        "webhook (deleteWebhook), hoặc tạo bot riêng cho hệ thống; sau đó hệ thống tự chạy tiếp.",
    ),
    MINUTE,
)
TAKEN_ELSEWHERE = Fault(
    SendErrorKind.PERMANENT,
    Subject.ACCOUNT,
    Words(
        "Another program asks Zalo for what is written to this bot. Its owner stops that program, or makes a bot for "
        "this service alone; then it goes on by itself.",
        "Một phần mềm khác đang nhận tin của bot này. Chủ bot cần dừng phần mềm đó hoặc tạo bot riêng cho hệ thống; "
        "sau đó hệ thống tự chạy tiếp.",
    ),
    MINUTE,
)
NO_UPLOADS = Fault(
    SendErrorKind.PERMANENT,
    Subject.MESSAGE,
    Words(
        "A bot can send a picture only by a public web address, not one that is kept here.",
        "Bot chỉ gửi được ảnh có địa chỉ công khai, không gửi được ảnh lưu trong hệ thống.",
    ),
)

SENDING = {400: REFUSED, 401: TOKEN, 403: TROUBLE, 404: REFUSED, 408: OUTCOME_LOST, 429: SPENT}
ASKING = {401: TOKEN, 403: TROUBLE, 408: READ_FAILED, 409: TAKEN_ELSEWHERE, 429: SPENT}
"""409 is what bots elsewhere hear; Zalo's page does not have it."""
