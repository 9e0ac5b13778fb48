"""What customers and staff of the simulated shift say: lines as people type them, our own."""

from __future__ import annotations

ASKING = (
    "xem điểm", "toi con bao nhieu diem vay shop", "shop mở cửa mấy giờ", "địa chỉ shop ở đâu ạ",
    "kiểm tra đơn hàng DH10245", "don cua em toi dau roi", "menu", "hi shop", "có chương trình gì không shop",
    "mấy h đóng cửa v", "diem cua minh sap het han chua", "đơn DH2201 giao chưa ạ",
)  # fmt: skip
"""What the bot answers."""
CALLING = (
    "cho mình gặp nhân viên", "gặp nhân viên", "cho em gặp nhân viên tư vấn với ạ", "noi chuyen voi nguoi that di",
    "mình muốn gặp nhân viên", "cho gap nhan vien", "talk to a human please", "bot nói gì vậy, cho gặp người thật",
)  # fmt: skip
"""Who wants a person."""
COMPLAINTS = (
    "ly bị vỡ khi giao tới", "giao thieu 1 cai ao roi shop", "hộp bánh móp hết một góc", "đặt đen mà giao trắng",
    "quần rộng quá muốn đổi size M", "đã chuyển khoản mà đơn vẫn báo chưa thanh toán", "nồi mới mua không lên điện",
    "5 ngày rồi chưa nhận được hàng",
)  # fmt: skip
"""What is told to the bot after its question what happened."""
ANGRY = (
    "làm ăn kiểu gì vậy, lừa đảo à", "dịch vụ quá tệ, bực mình thật", "shop lừa đảo, tôi báo công an",
)  # fmt: skip
PUZZLING = ("ủa rồi cái kia tính sao ta", "xanh rêu hay xanh bơ đẹp hơn", "chị gái hôm bữa nói khác mà", "z là s ta")
"""What the bot cannot understand; said twice it calls a person."""
MORE = (
    "dạ vâng", "còn màu đỏ không shop", "cảm ơn shop nhé", "vậy bao giờ có hàng ạ", "ok để mình suy nghĩ thêm",
    "size M còn không", "ship về Cần Thơ bao nhiêu", "alo shop ơi", "mình gửi lại ảnh sau nha",
)  # fmt: skip
"""What follows an answer of staff."""
NOTHING_ASKED = ("dạ vâng", "cảm ơn shop nhé")
"""What of that may stay without an answer."""
ANSWERS = (
    "Dạ chào bạn, mình kiểm tra ngay ạ", "Mẫu này còn hàng bạn nhé", "Dạ bên mình đổi mới cho bạn ạ",
    "Đơn của bạn chiều nay giao tới ạ", "Bạn cho mình xin ảnh lỗi với ạ", "Mình đã báo kho xử lý rồi ạ",
)  # fmt: skip
SLIPS = ("ok chị", "để em hỏi kho đã", "trưa nay ăn gì mn", "khách này khó tính ghê", "r 3 chào bạn", "huy đơn đó đi")
"""What staff type into the chat that is for nobody."""
