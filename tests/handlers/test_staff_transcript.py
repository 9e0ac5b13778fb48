"""Every command as it is typed and answered: one script for Zalo, Messenger, a Zalo bot and the command line."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from crm.staff import Role
from handlers import STAFF_ROUTERS
from simulator.people import MESSENGER, ZALO, ZALO_BOT
from tests.chat import Chat
from tests.handlers import pos
from tests.handlers.test_staff_finding import everything
from tests.staff import PIN, hired, order, pair

CLI = "cli"
SURFACES = (ZALO, MESSENGER, ZALO_BOT, CLI)

SCRIPT = """
> /ca
✓ Bạn vào ca tới 19:00 thứ Hai 23/11 (giờ VN).
{window}1 khách đang chờ: /ds

> /ds
#1 Nguyễn Thị Lan ({Channel}) chờ 0 phút: “cho mình gặp nhân viên”
/vao 1 để trả lời · /giu 1 để nhận

> đơn của bạn đang giao ạ
✗ Chưa gửi. Gửi cho ai?
• /r 1 → Nguyễn Thị Lan ({Channel})

> /giu 1
✓ Bạn phụ trách Nguyễn Thị Lan, bot im. /vao để trả lời, /tra khi xong.

> /ds toi
#1 Nguyễn Thị Lan ({Channel}) chờ 0 phút · Hoa: “cho mình gặp nhân viên”
/vao 1 để trả lời · /giu 1 để nhận

> /r
✗ Thiếu khách (số trong /ds).
Cách dùng: /r <khách> <nội dung>

> /r 7 chào bạn
✗ #7 không còn trong danh sách của bạn. Xem lại bằng /ds.

> /r 1 Chào bạn ạ
⏳ 6 giây nữa gửi Nguyễn Thị Lan #1 ({Channel}, còn {left} giờ). /huy để rút lại

> /huy
✓ Đã rút lại, Nguyễn Thị Lan không nhận được gì.

> /huỷ
✗ Không có tin nào đang chờ gửi.

> /vào 1
→ Nguyễn Thị Lan #1 ({Channel}, còn {left} giờ)
🤖 Bạn kể giúp mình chuyện gì đã xảy ra nhé, kèm mã đơn nếu có…
‹ hộp bị móp
🤖 Mình đã ghi nhận yêu cầu hỗ trợ T1. Nhân viên sẽ xem và trả…
‹ cho mình gặp nhân viên
🤖 Mình đã chuyển cuộc trò chuyện cho nhân viên. Nhân viên sẽ …
Chữ bạn nhắn từ đây sẽ gửi cho Nguyễn Thị Lan. /ra để thôi

> /hủy
✗ Không có tin nào đang chờ gửi.

> Đơn của bạn đang giao ạ
⏳ 6 giây nữa gửi Nguyễn Thị Lan #1 ({Channel}, còn {left} giờ). /huy để rút lại

> /ra
✓ Đã ra khỏi Nguyễn Thị Lan. Chữ thường sẽ không gửi cho ai.

> /leave
✗ Bạn chưa vào khách nào.

> ds
✗ Chưa gửi. Ý bạn là lệnh /ds [toi | het]? Gửi cho ai?
• /r 1 → Nguyễn Thị Lan ({Channel})

> /vao 1
*
> /thoát
✓ Đã thoát. Chữ thường sẽ không gửi cho ai.

> /hen 1 9h mai
✓ Để Nguyễn Thị Lan lại tới 09:00 thứ Ba 24/11 (giờ VN).

> /hẹn 1 hôm qua
✗ Không hiểu giờ “hôm qua”. Ví dụ: 9h mai, 20h thứ 6, 30p nữa.
Cách dùng: /hen <khách> <giờ>

> /giao 1 @Minh
✓ Đã giao Nguyễn Thị Lan cho Minh. Lưu ý: Minh chưa vào ca.

> /assign 1 @Nobody
✗ Không có nhân viên “Nobody”.

> /take 1
Minh đang phụ trách Nguyễn Thị Lan. Vẫn nhận?
→ Gõ /ok <code> trong 5 phút để làm.

> /ok <code>
✓ Bạn phụ trách Nguyễn Thị Lan, bot im. /vao để trả lời, /tra khi xong.

> /ok <code>
✗ Mã <code> đã dùng rồi.

> /tra 1
✓ Bot trả lời Nguyễn Thị Lan lại.

> /bot off 1
✓ Bạn phụ trách Nguyễn Thị Lan, bot im. /vao để trả lời, /tra khi xong.

> /bot bật 1
✓ Bot trả lời Nguyễn Thị Lan lại.

> /đóng 1
✓ Đã đóng: Nguyễn Thị Lan. Khách nhắn lại thì tự mở. /mo để mở ngay.

> /r 1 Cảm ơn bạn
Cuộc trò chuyện với Nguyễn Thị Lan đã đóng.
Vẫn gửi “Cảm ơn bạn”?
→ Gõ /ok <code> trong 5 phút để làm.

> /chặn 1
Chặn Nguyễn Thị Lan? Bot và nhân viên sẽ không trả lời, không ai được báo.
→ Gõ /ok <code> trong 5 phút để làm.

> /ok <code>
✓ Đã chặn Nguyễn Thị Lan. /bochan để bỏ.

> /giu 1
✗ Khách này đang bị chặn: /bochan trước.

> /unblock 1
✓ Đã bỏ chặn Nguyễn Thị Lan, bot trả lời lại.

> /bochan 1
Nguyễn Thị Lan không bị chặn.

> /mở 1
✓ Bạn phụ trách Nguyễn Thị Lan, bot im. /vao để trả lời, /tra khi xong.

> /đơn DH1024
DH1024 · Nguyễn Thị Lan · đang giao · 250.000đ · đặt 23/11/2026
• 2 × Áo thun trắng (100.000đ)
• 1 × Nón (50.000đ)

> /order 1
Nguyễn Thị Lan:
• DH1024 · đang giao · 250.000đ · 23/11/2026

> /don XYZ
✗ Không có đơn hay khách “XYZ”.

> /phieu
T1 Nguyễn Thị Lan · 10:00 23/11: “hộp bị móp”
/phieu T1 để xem · /dong T1 khi xong

> /ticket T1
Phiếu T1 · đang chờ mình
Khách: Nguyễn Thị Lan #1 ({Channel}) · mở 10:00 23/11
Về: hàng hỏng, lỗi · mức thường
“hộp bị móp”
Hẹn trả lời 11:00 23/11 · xong 02:00 24/11
/vao 1 để trả lời · /dong T1 khi xong

> /loai T1
Phiếu T1 về: hàng hỏng, lỗi. Sửa: /loai T1 và một số:
1 hàng hỏng, lỗi
2 giao sai, thiếu
3 giao hàng
4 đổi, trả hàng
5 tiền, hoàn tiền
6 điểm, ưu đãi
7 thái độ phục vụ
8 khác

> /loại T1 3
✓ Phiếu T1 về: giao hàng.

> /loai T1 9
✗ “9” không phải số từ 1 tới 8; xem các loại: /loai và số phiếu.
Cách dùng: /loai <T12> [1–8]

> /uutien T1 gấp
✓ Phiếu T1 giờ ở mức gấp. Hẹn trả lời trước 10:15 23/11.

> /uutien T1 vội
✗ “vội”: dùng gấp, cao, thường hoặc thấp.
Cách dùng: /uutien <T12> <gấp | cao | thường | thấp>

> /dong T1
✗ Phiếu T1 chưa đóng được, thiếu: nguyên nhân.

> /dong T1 hộp móp khi giao
✓ Đã đóng phiếu T1.

> /mo T1
✓ Đã mở lại phiếu T1.

> /phieu T9
✗ Không có phiếu T9.

> /diem 1 50 thưởng
✗ “50”: ghi +50 để cộng, -50 để trừ.
Cách dùng: /diem <khách> <±điểm> <lý do>

> /điểm 1 +50 tặng sinh nhật
🔒 /diem cần PIN. Nhắn PIN của bạn (không được lưu lại). /thoat để thôi.

> 111222
✗ PIN chưa đúng. Nhắn lại, hoặc /thoat. Sai 5 lần liền thì bị khóa.

> {PIN}
Nguyễn Thị Lan: cộng 50 điểm (tặng sinh nhật)
Điểm: 0 → 50
→ Gõ /ok <code> trong 5 phút để làm.

> /ok <code>
✓ Nguyễn Thị Lan: đã cộng 50 điểm, còn 50.

> /points KH001 -60 nhầm
✗ Không đủ điểm: cần 60, hiện dùng được 50.

> /thudiem DH1024
DH1024 · Nguyễn Thị Lan · đang giao · 250.000đ
✓ +25 điểm: 1 điểm cho mỗi 10.000đ
Đơn ở trạng thái này chưa có điểm, sổ đang ghi 0.

> /explain XYZ
✗ Không có đơn “XYZ”.

> /duyệt
Không có điểm nào chờ duyệt.

> /approve 1
✗ Không có yêu cầu này.

> /dulieu
Không có yêu cầu dữ liệu nào đang chờ.

> /dulieu 9
✗ Không có yêu cầu dữ liệu số 9.

> /khoadiem 1 nghi gian lận
✓ đã khóa điểm của Nguyễn Thị Lan (nghi gian lận): vẫn tích được, chưa tiêu được. Mở lại: /khoadiem … mo

> /freeze 1 mở
✓ Nguyễn Thị Lan dùng điểm lại được.

> /noi 1 KH001
✗ Chat này đã là của một khách POS.

> /tach
✗ Thiếu khách (số trong /ds).
Cách dùng: /tach <khách trong chat>

> /v 7K3M-W9QP-DXAB
✗ Mã voucher không đúng; bạn xem lại từng ký tự nhé.

> /voucher
✗ Thiếu một từ.
Cách dùng: /v <mã> [huy]

> /tem 1
✗ Chương trình không có thẻ tem.

> /stamp 1 2 coffee
✗ Chương trình không có thẻ tem.

> /pin
🔒 Nhắn PIN hiện tại của bạn (không được lưu lại). /thoat để thôi.

> {PIN}
🔒 Nhắn PIN mới, 4–8 chữ số (không được lưu lại). /thoat để thôi.

> 314159
✓ Đã đặt PIN. Bạn nên xóa tin nhắn có PIN trong chat này.

> /hệ
0 khách chờ · trong ca: Hoa
Tin vào: đã xử lý hết · tin ra: {outgoing} đang chờ, 0 chưa rõ
Bị bỏ: 0
Tài khoản bị giữ: không
Cảnh báo: không

> /help giao
/giao <khách> @<nhân viên>: giao khách này cho đồng nghiệp
Cũng gọi là: /assign
Ví dụ: /giao 12 @Minh

> /shift 2 tiếng nữa
*
> /nghỉ
✓ Hết ca. Bạn vẫn phụ trách: Nguyễn Thị Lan. /giao hoặc /tra trước khi nghỉ nhé.

> /khach off
{customer}
"""


KNOWING = """
> /ds
*
> /truong + Size: chọn S, M, L
✓ Đã thêm trường Size: chọn S, M, L

> /trường + Ngày cưới: ngày
✓ Đã thêm trường Ngày cưới: ngày

> /tt 1 size XL
✗ “XL” không có trong: S, M, L.

> /tt 1 size m
✓ Nguyễn Thị Lan: Size = M

> /tt 1 ngay cuoi 2/9/2026
✓ Nguyễn Thị Lan: Ngày cưới = 02/09/2026

> /tt 1 ngày cưới -
✓ Nguyễn Thị Lan: Ngày cưới = (trống) (trước: 02/09/2026)

> /fields - size
Bỏ trường Size: chọn S, M, L, đang ghi ở 1 khách?
→ Gõ /ok <code> trong 5 phút để làm.

> /gc 1 thích gói quà
✓ Đã ghi chú về Nguyễn Thị Lan. Khách không thấy. /gc … - để bỏ.

> /ghichu 1
Nguyễn Thị Lan:
• “thích gói quà” (Hoa, 10:00 23/11)

> /thẻ 1 +VIP +khách sỉ -mới
✓ Nguyễn Thị Lan: khách sỉ, VIP (1 nhãn đã như vậy)

> /tag 1 vip
✗ Ghi +nhãn để gắn, -nhãn để gỡ.
Cách dùng: /the <khách> [+nhãn] [-nhãn]

> /kh 1
#1 Nguyễn Thị Lan · +84901234501 · KH001
Kênh: {Channel} #1 (còn {left} giờ)
Quảng cáo: chưa hỏi
Điểm: 0 dùng được
Đơn mở: DH1024 đang giao 250.000đ
Phiếu: T1 chờ mình “hộp bị móp”
Đã hẹn trả lời: trước 11:00 23/11
Ghi chú: “thích gói quà” (Hoa, 10:00 23/11)
Nhãn: khách sỉ, VIP
Trường: Size = M

> /kh 1 lan
✗ Thừa: “lan”.
Cách dùng: /kh <khách | tên>

> /c lan
*
> /khách 1
#1 Nguyễn Thị Lan · +84901234501 · KH001
Kênh: {Channel} #1 (còn {left} giờ)
Quảng cáo: chưa hỏi
Điểm: 0 dùng được
Đơn mở: DH1024 đang giao 250.000đ
Phiếu: T1 chờ mình “hộp bị móp”
Đã hẹn trả lời: trước 11:00 23/11
Ghi chú: “thích gói quà” (Hoa, 10:00 23/11)
Nhãn: khách sỉ, VIP
Trường: Size = M

> /gc 1 -
✓ Đã bỏ ghi chú cuối của bạn về Nguyễn Thị Lan.

> /tìm nguyen lan
*
> /find DH1024
*
> /tim ai do
Không thấy khách nào “ai do”. Tìm trong tin nhắn: /tim "ai do"

> /tim "hop mop"
{looks}

> /tim a
✗ Gõ thêm vài chữ để tìm.

> /mausua ship Chào {{{{ khach.hoten }}}}
*
> /mausua ship Chào {{{{ khach.ten }}}}, đơn {{{{ don.ma }}}} tới sau [số ngày?] ngày, giao [buổi nào?] ạ
✓ Đã lưu mẫu ship (chỗ trống: số ngày, buổi nào). Gửi: /mau ship <khách>

> /mauanh ship https://shop.vn/hop.jpg
Mẫu ship:
Chào {{{{ khach.ten }}}}, đơn {{{{ don.ma }}}} tới sau [số ngày?] ngày, giao [buổi nào?] ạ
Ảnh: https://shop.vn/hop.jpg
Chỗ trống: số ngày, buổi nào

> /mẫu
• ship: Chào {{{{ khach.ten }}}}, đơn {{{{ don.ma }}}} tới sau [s… [ảnh]
/mau ship 12 để gửi cho khách số 12

> /m ship 1
Mẫu ship cho Nguyễn Thị Lan, chỗ trống 1/2: số ngày? (- để sửa chỗ trước, /thoat để thôi)

> 5
Mẫu ship cho Nguyễn Thị Lan, chỗ trống 2/2: buổi nào? (- để sửa chỗ trước, /thoat để thôi)

> -
Mẫu ship cho Nguyễn Thị Lan, chỗ trống 1/2: số ngày? (- để sửa chỗ trước, /thoat để thôi)

> 3
*
> sáng | chiều
⏳ 6 giây nữa gửi 1 ảnh cho Nguyễn Thị Lan #1 ({Channel}, còn {left} giờ). /huy để rút lại

> /huy
✓ Đã rút lại, Nguyễn Thị Lan không nhận được gì.

> /m ship 1 3 | | sáng
✗ Mẫu có 2 chỗ trống.
Cách dùng: /mau [tên] [khách] [chỗ trống | chỗ trống]

> /canned ship 1 3 |
✗ “buổi nào” còn trống.
Cách dùng: /mau [tên] [khách] [chỗ trống | chỗ trống]

> /macrosua doi-hang
Nhắn các dòng lệnh của macro doi-hang, mỗi dòng một lệnh, {{khach}} là khách được chọn. /thoat để thôi.

> /macrosua doi-hang /macro doi-hang {{khach}}
✗ /macro không dùng được trong macro.

> /macrosua doi-hang /the {{khach}} +đổi hàng{newline}/m ship {{khach}} 3 | sáng
✓ Đã lưu macro doi-hang. Chạy: /macro doi-hang <khách>

> /macro
• doi-hang: /the {{khach}} +đổi hàng /m ship {{khach}} 3 | sáng

> /macro đổi-hàng 1
Macro doi-hang cho Nguyễn Thị Lan:
1. /the 1 +đổi hàng
   sẽ trả lời: ✓ Nguyễn Thị Lan: đổi hàng, khách sỉ, VIP
2. /m ship 1 3 | sáng
   sẽ trả lời: ⏳ 6 giây nữa gửi 1 ảnh cho Nguyễn Thị Lan #1 ({Channel}, còn {left} giờ). /huy để rút lại
→ Gõ /ok <code> trong 5 phút để làm.

> /the 1
Nguyễn Thị Lan: khách sỉ, VIP

> /ok <code>
✓ Nguyễn Thị Lan: đổi hàng, khách sỉ, VIP
⏳ 6 giây nữa gửi 1 ảnh cho Nguyễn Thị Lan #1 ({Channel}, còn {left} giờ). /huy để rút lại

> /huy
✓ Đã rút lại, Nguyễn Thị Lan không nhận được gì.

> /macroxoa doi-hang
*
> /ok <code>
✓ Đã bỏ macro doi-hang.

> /mauxoa ship
Bỏ mẫu ship: “Chào {{{{ khach.ten }}}}, đơn {{{{ don.ma }}}} tới sau [số ngày?] ngày, giao [buổi nào?] ạ”?
→ Gõ /ok <code> trong 5 phút để làm.

> /chamsoc
Chưa có quy tắc chăm sóc nào.

> /chamsoc birthday bật
✗ Không có quy tắc “birthday”; các tên: /chamsoc.

> /sapgui 1
90 ngày tới Nguyễn Thị Lan không có tin chăm sóc nào.

> /bc
Ngày 23/11/2026
Khách mới: {new}
Trả lời: 0 tin, 0 cuộc trò chuyện · đang chờ 1
Phản hồi đầu (giờ làm việc): không ai phải chờ
Phiếu: mở 1, đóng 0, còn 1
Trễ hẹn: không
Hài lòng: chưa có

> /report năm
✗ Dùng /bc, /bc hôm qua, /bc tuần hoặc /bc tuần trước.

> /nhom
Chưa lưu nhóm nào. Thử: /nhom hang>=vang va mua<90ngay

> /nhóm đơn>=1 và không(mua>30ngày)
{counted}

> /nhom luu khách_mới mua < 30 ngày va sdt
✓ Đã lưu nhóm khach_moi (bản 1): mua<30ngay va sdt{has_new}

> /nhom luu khach_moi
✗ Ghi tên rồi tới nhóm: /nhom luu vip_moi vip va tao<30ngay.

> /nhom luu Khách sắp về mua<30ngay va sdt
✗ Tên nhiều chữ thì đặt trong ngoặc kép: /nhom luu "Khách sắp về" mua<30ngay va sdt

> /nhom
• khach_moi (bản 1): mua<30ngay va sdt

> /nhom hagn>=vang
✗ Không có từ “hagn”. Có phải: nhan, hang, hethan? (ở ký tự thứ 1)

> /nhom tu
*

> /ds
*

> /visao 1 khach_moi va diem>=100
*

> /vì sao 1 mua<30ngay va khong vip
Nguyễn Thị Lan không thuộc nhóm này:
✓ mua<30ngay · 23/11/2026 (hôm nay)
✓ vip · đổi hàng, khách sỉ, VIP
"""

SENDING = """
> /gui
Chưa có tin gửi loạt nào. Viết: /gui moi

> /gui 7
✗ Không có tin gửi loạt số 7.

> /gui lan chào bạn
✗ “lan” không phải số của tin gửi loạt; xem /gui. Nhắn một khách: /r.
{usage}

> /gửi mới
Tên tin gửi loạt (chỉ nhân viên thấy)? /thoat để thôi.

> Tết
“Tết” gửi cho nhóm nào? Ví dụ: vip va mua<90ngay, hoặc tatca. Các từ: /nhom tu

> hagn>=vang
✗ Không có từ “hagn”. Có phải: nhan, hang, hethan? (ở ký tự thứ 1)
“Tết” gửi cho nhóm nào? Ví dụ: vip va mua<90ngay, hoặc tatca. Các từ: /nhom tu

> đơn >= 1
“Tết” cho nhóm: đơn >= 1. Nhắn nội dung.
Chỗ tự điền: {{{{ khach.ten or "bạn" }}}}, {{{{ khach.diem }}}}. Nhãn [QC] và cách từ chối tự thêm.

> Chào {{{{ khach.ten }}}}
✗ Có khách chưa có tên: viết {{{{ khach.ten or "bạn" }}}} để luôn có chữ thay thế.
“Tết” cho nhóm: đơn >= 1. Nhắn nội dung.
Chỗ tự điền: {{{{ khach.ten or "bạn" }}}}, {{{{ khach.diem }}}}. Nhãn [QC] và cách từ chối tự thêm.

> Chào {{{{ khach.ten or "bạn" }}}}, mai giảm 20%
✓ Đã viết nháp #1 Tết cho nhóm: don>=1
“Chào {{{{ khach.ten or "bạn" }}}}, mai giảm 20%”
Tiếp: /gui 1 thu để nhận thử · /gui 1 xem · /gui 1 hen 20h thứ 6{has_bought}

> /gui moi Khai trương | tatca | Chào bạn, tiệm mới mở ở Huế
✓ Đã viết nháp #2 Khai trương cho nhóm: tatca
“Chào bạn, tiệm mới mở ở Huế”
Tiếp: /gui 2 thu để nhận thử · /gui 2 xem · /gui 2 hen 20h thứ 6{has_all}

> /gui 2 nút Xem = https://shop.vn
✓ Đã sửa, lại là bản nháp #2 Khai trương cho nhóm: tatca
“Chào bạn, tiệm mới mở ở Huế” [Xem]
Tiếp: /gui 2 thu để nhận thử · /gui 2 xem · /gui 2 hen 20h thứ 6

> /gui 2 ảnh shop.vn
✗ Ảnh cần một địa chỉ https:// đầy đủ, như https://shop.vn/tet, không phải “shop.vn”.

> /gui 1
#1 Tết · bản nháp
Nhóm: don>=1
“Chào {{{{ khach.ten or "bạn" }}}}, mai giảm 20%”
Chưa gửi thử: /gui 1 thu · /gui 1 xem

> /gui 1 xem
{looked}

> /gui 1 thử
{tried}

> /gui 1 tiếp
✗ Tin #1 (bản nháp): chỉ gửi tiếp được tin đang tạm dừng.

> /gui 2 hẹn 20h thứ 6
✗ Chưa gửi thử: gõ /gui 2 thu trước khi hẹn giờ.

> /gui 1 bỏ hẹn
✗ Tin #1 (bản nháp): chỉ bỏ hẹn được tin đã hẹn giờ.

> /gui 1 hen 23h mai
✗ Giờ đó không được gửi tin (giờ yên tĩnh); sớm nhất là 08:00 thứ Tư 25/11 (giờ VN).

> /gui 1 hen 20h 1/11/2026
✗ Giờ gửi đã qua.

> /gui 1 hẹn
✗ Gửi lúc nào? Ví dụ: /gui 3 hen 20h thứ 6, hoặc /gui 3 hen ngay.

> /gui 1 hen khi rảnh
✗ Không hiểu giờ “khi rảnh”. Ví dụ: /gui 3 hen 20h thứ 6, hoặc /gui 3 hen ngay.

> /gui 1 lời -
✗ Ghi nội dung mới phía sau; - để bỏ ảnh hoặc nút.

> /gui 1 duyệt
✗ Người viết không tự duyệt được, và chưa có lead, marketer hay admin nào khác.

> /gui 1 dừng
✗ Tin #1 (bản nháp): chỉ tạm dừng được tin đang gửi.

> /gui 1 hôm nay
✗ “hôm”: dùng xem, thu, hen, ngay, bohen, duyet, dung, tiep, huy, tep, ten, nhom, loi, anh, nut.

> /gui 2 huỷ
🔒 /gui cần PIN. Nhắn PIN của bạn (không được lưu lại). /thoat để thôi.

> {PIN}
Hủy hẳn #2 Khai trương (bản nháp)? Không gửi lại được; tin đã gửi vẫn còn.
→ Gõ /ok <code> trong 5 phút để làm.

> /ok <code>
#2 Khai trương · đã hủy
Nhóm: tatca
“Chào bạn, tiệm mới mở ở Huế” [Xem]

> /gui 2 huy
✗ Tin #2 đã kết thúc rồi.

> /broadcast
#2 Khai trương · đã hủy
#1 Tết · bản nháp
/gui 2 để xem · /gui moi để viết
"""

SCHEDULING = """
> /gui moi Tết | tatca | Chào {{{{ khach.ten or "bạn" }}}}, mai giảm 20%
*
> /gui 1 thu
*
> /gui 1 hen 20h thứ 6
🔒 /gui cần PIN. Nhắn PIN của bạn (không được lưu lại). /thoat để thôi.

> {PIN}
🔎 Đang tính “Tết” sẽ tới ai; kết quả tới sau vài giây.
Hẹn giờ #1 Tết (tatca)?
1 người, tính từ 20:00 thứ Sáu 27/11 (giờ VN): 1 không gửi
• không gửi 1: khách chưa đồng ý nhận tin
Chi phí dự tính: 0đ
→ Gõ /ok <code> trong 5 phút để làm.

> /gui 1 lời Chào bạn, mai giảm 30%
✓ Đã sửa, lại là bản nháp #1 Tết cho nhóm: tatca
“Chào bạn, mai giảm 30%”
Tiếp: /gui 1 thu để nhận thử · /gui 1 xem · /gui 1 hen 20h thứ 6

> /ok <code>
✗ Chưa gửi thử: gõ /gui 1 thu trước khi hẹn giờ.

> /gui 1 thu
*
> /gui 1 hen 20h thứ 6
*
> /ok <code>
✓ #1 Tết bắt đầu gửi lúc 20:00 thứ Sáu 27/11 (giờ VN). Bỏ hẹn: /gui 1 bohen

> /gui
#1 Tết · đã hẹn giờ · 20:00 thứ Sáu 27/11 (giờ VN)
/gui 1 để xem · /gui moi để viết

> /gui 1 dừng
✗ Tin #1 (đã hẹn giờ): chưa bắt đầu gửi, bỏ hẹn bằng /gui 1 bohen.

> /gui 1 bỏ hẹn
#1 Tết · bản nháp
Nhóm: tatca
“Chào bạn, mai giảm 30%”
Đã gửi thử. /gui 1 xem · /gui 1 hen 20h thứ 6

> /gui 1 ngay
🔎 Đang tính “Tết” sẽ tới ai; kết quả tới sau vài giây.
Gửi ngay #1 Tết (tatca)?
1 người, tính từ 10:00 thứ Hai 23/11 (giờ VN): 1 không gửi
• không gửi 1: khách chưa đồng ý nhận tin
Chi phí dự tính: 0đ
→ Gõ /ok <code> trong 5 phút để làm.

> /ok <code>
✓ #1 Tết bắt đầu gửi lúc 10:00 thứ Hai 23/11 (giờ VN). Bỏ hẹn: /gui 1 bohen
"""


@dataclass(slots=True)
class Surface:
    """Where the script is played, and what differs there."""

    give: Callable[[str], Awaitable[list[str]]]
    words: dict[str, str] = field(default_factory=dict)


async def a_busy_shop(chat: Chat) -> None:
    """Lan is linked, has an order and a ticket, and waits for a person; Minh works here, too."""
    await pos.linked(chat)
    await pos.tells_of_order(chat, "DH1024")
    await chat.presses("kq:support")
    await chat.says("hộp bị móp")
    await chat.says("cho mình gặp nhân viên")
    await pair(chat.of("minh"), "Minh")


async def heard_by(member: Chat, line: str) -> list[str]:
    """What is answered in a chat; what takes longer comes by itself, so it is waited for."""
    if line.startswith(('/tim "', "/gui", "/gửi", "/nhom", "/nhóm", "Chào", PIN)):
        return [each.text for each in await everything(member, line)]
    return await member.says(line)


async def opened(lan: Chat, surface: str) -> Surface:
    """Hoa, who may do everything, on this surface."""
    shown = lan.channel
    words = {
        "Channel": shown.title(), "left": {ZALO: "47", MESSENGER: "167"}[shown], "PIN": PIN,
        "window": "", "outgoing": "1", "newline": "\n", "new": "1",
        "looks": "🔎 Đang tìm “hop mop” trong tin nhắn; kết quả tới sau vài giây.\n"
        f"#1 Nguyễn Thị Lan ({shown.title()}, 10:00 23/11) ‹ “hộp bị móp”\n/vao 1 để xem cuộc trò chuyện",
        "customer": "✗ Chỉ dùng được trong chat.",
        "looked": "🔎 Đang tính “Tết” sẽ tới ai; kết quả tới sau vài giây.\n#1 Tết (don>=1)\n"
        "1 người, tính từ 10:00 thứ Hai 23/11 (giờ VN): 1 không gửi\n"
        "• không gửi 1: khách chưa đồng ý nhận tin\nChi phí dự tính: 0đ",
        "tried": "[QC] Chào Hoa, mai giảm 20%\n\nKhông muốn nhận tin quảng cáo nữa, bạn nhắn: DỪNG\n"
        "✓ Đã gửi thử #1 Tết tới 1 chat của bạn. Ổn thì hẹn: /gui 1 hen 20h thứ 6",
        "counted": "1 khách: don>=1 va khong(mua>30ngay)\nVí dụ: Nguyễn Thị Lan",
        **{
            name: f"\n1 khách: {segment}\nVí dụ: Nguyễn Thị Lan"
            for name, segment in (("has_new", "mua<30ngay va sdt"), ("has_bought", "don>=1"), ("has_all", "tatca"))
        },
        "usage": "Cách dùng: /gui [số | moi] [xem | thu | hen <giờ> | ngay | bohen | duyet | dung | tiep | huy | tep | "
        "ten | nhom | loi | anh | nut]",
    }  # fmt: skip
    if surface == CLI:
        words |= {"has_new": "", "has_bought": "", "has_all": ""}
        words["counted"] = "✗ Trên máy chủ dùng khachquen segment count."
        words["looked"] = "✗ Trên máy chủ dùng khachquen broadcast preview 1, schedule và approve."
        words["tried"] = "✗ Bạn chưa có chat nào nhận được tin thử: ghép chat của bạn trước (khachquen staff pair)."
        words["looks"] = "✗ Trên máy chủ dùng khachquen find."
        await lan.does(lambda session: hired(session, "Hoa", Role.ADMIN, lan))
        return Surface(lambda line: order(lan, "Hoa", line), words)
    hoa = await pair(lan.of("hoa", surface), "Hoa", Role.ADMIN)
    if surface == ZALO_BOT:
        words["customer"] = "✗ Chat này chỉ có nhân viên, không có khách."
        return Surface(partial(heard_by, hoa), words)
    notices = {ZALO: "47", MESSENGER: "23"}[shown]
    words["window"] = f"Thông báo tới được chat này ({shown.title()}, còn {notices} giờ) kể từ tin cuối của bạn.\n"
    words["customer"] = "✓ Bạn lại là nhân viên trong chat này."
    return Surface(partial(heard_by, hoa), words)


EVERYWHERE = {"answering": SCRIPT, "knowing": KNOWING, "sending": SENDING}
PLAYED = [
    *(
        pytest.param(surface, script, id=f"{surface}-{name}")
        for surface in SURFACES
        for name, script in EVERYWHERE.items()
    ),
    *(pytest.param(surface, SCHEDULING, id=f"{surface}-scheduling") for surface in (ZALO, MESSENGER, ZALO_BOT)),
]
"""The command line shows no preview that takes longer than an answer: there it is a command of its own."""


@pytest.mark.parametrize(("surface", "script"), PLAYED)
async def test_every_command_answers_as_written(with_bot: Chat, surface: str, script: str) -> None:
    lan = with_bot.of("lan", surface if surface in (ZALO, MESSENGER) else ZALO)
    await a_busy_shop(lan)
    place = await opened(lan, surface)
    code, wrong = "", []
    for number, scene in enumerate(re.split(r"^> ", script, flags=re.MULTILINE)[1:], 1):
        line, _, expected = scene.partition("\n")
        line, expected = line.format(**place.words), expected.strip("\n").format(**place.words)
        heard = "\n".join(await place.give(line.replace("<code>", code)))
        found = re.search(r"/ok (\d{4})", heard)
        code = found[1] if found else code
        if expected not in ("*", heard.replace(code or "<code>", "<code>")):
            wrong.append(f"scene {number}: {line}\n{heard}\ninstead of\n{expected}")
    assert not wrong, "\n\n".join(wrong)


def test_every_command_is_played_on_every_surface() -> None:
    typed = set(re.findall(r"^> /(\S+)", SCRIPT + KNOWING + SENDING, re.MULTILINE))
    for router in STAFF_ROUTERS:
        for command in router.commands:
            assert typed & {command.name, *command.aliases}, f"/{command.name} is in no transcript"
