"""Who can mend an error of Zalo's, and how: the second half of its sentence."""

from __future__ import annotations

from bot.channels.base import Words

RECONNECT = Words("the OA's admin must connect the OA to the app again", "quản trị OA cần kết nối lại OA với ứng dụng")
AGAIN = Words("the OA's admin must connect the OA once more from the start", "quản trị OA cần kết nối lại OA từ đầu")
APP = Words("the app's owner must mend it on developers.zalo.me", "chủ ứng dụng cần sửa trên developers.zalo.me")
SETTINGS = Words("whoever runs this service must correct its settings", "người vận hành cần sửa cấu hình của hệ thống")
PACKAGE = Words("the OA's admin must renew or upgrade the OA's package", "quản trị OA cần gia hạn hoặc nâng cấp gói OA")
VERIFY = Words("the OA's admin must settle it in OA Manager", "quản trị OA cần xử lý trong OA Manager")
WALLET = Words("the OA's admin must see to the Zalo Cloud Account", "quản trị OA cần kiểm tra Zalo Cloud Account")
REFRESHED = Words(
    "it is renewed by itself, and if that fails the OA's admin must connect the OA again",
    "hệ thống tự làm mới, nếu không được thì quản trị OA cần kết nối lại",
)
ITSELF = Words("it is tried again by itself", "hệ thống sẽ tự gửi lại")
WAIT = Words("it goes out by itself when the limit is lifted", "hệ thống tự gửi khi hết giới hạn")
EDIT = Words("whoever wrote the message must change it", "người soạn tin cần sửa nội dung")
GROUP = Words(
    "the OA's admin must look after the group in OA Manager", "quản trị OA cần kiểm tra nhóm trong OA Manager"
)
WRITE_FIRST = Words(
    "wait until the person writes, or let staff send an approved template",
    "chờ khách nhắn lại, hoặc để nhân viên gửi mẫu tin đã duyệt",
)
OTHER_WAY = Words("staff must reach the person another way", "nhân viên cần liên hệ khách bằng cách khác")
REPORT = Words("please report it to the makers of this program", "vui lòng báo cho nhóm phát triển phần mềm")
TEMPLATE = Words("whoever keeps the templates must correct it in ZBS", "người quản lý mẫu tin cần sửa trên ZBS")
ZBS = Words(
    "the OA's admin must settle it at Zalo Business Solutions", "quản trị OA cần xử lý với Zalo Business Solutions"
)
