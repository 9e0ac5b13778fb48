"""The words of the language of segments: what can be asked of a customer, by which names, and with what beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from crm.words import plain


class Takes(StrEnum):
    """What stands behind a word: a number, đồng, how long ago or a day, a name, a tier, a birthday, a custom field."""

    NOTHING = "nothing"
    NUMBER = "number"
    MONEY = "money"
    AGE = "age"
    NAME = "name"
    LEVEL = "level"
    BIRTHDAY = "birthday"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the language: `name` is how it is printed, `also` are its other spellings, without accents and spaces.

    `alone` words may stand without anything behind them, `within` ones be bounded by a span (`trong 90ngay`).
    """

    name: str
    vi: str
    en: str
    also: tuple[str, ...]
    takes: Takes = Takes.NOTHING
    alone: bool = False
    within: bool = False

    def called(self, locale: str) -> str:
        """How it is written in Vietnamese or, for every other locale, in English."""
        return self.name if locale == "vi" or self.name in _IN_BOTH else self.also[0]


_IN_BOTH = frozenset({"tag", "email", "vip", "voucher", "r", "f", "m"})

WORDS = (
    Word("tatca", "mọi khách", "everybody", ("all", "everyone", "everybody", "moikhach"), alone=True),
    Word("tag", "có nhãn này", "has this tag", ("nhan",), Takes.NAME),
    Word("truong", "trường do shop tự thêm", "a field that the shop added", ("field", "thongtin"), Takes.FIELD),
    Word("ten", "đã biết tên", "the name is known", ("name", "coten"), alone=True),
    Word("sdt", "đã biết số điện thoại", "the phone number is known", ("phone", "dienthoai", "cosdt"), alone=True),
    Word("email", "đã biết email", "the e-mail address is known", ("mail", "coemail"), alone=True),
    Word("sinhnhat", "ngày sinh", "birthday", ("birthday", "ngaysinh"), Takes.BIRTHDAY, alone=True),
    Word("tao", "hồ sơ được tạo", "the profile was made", ("created", "ngaytao"), Takes.AGE),
    Word("don", "số đơn, trừ đơn hủy và trả", "orders, without cancelled and returned ones",
         ("orders", "order", "donhang", "sodon"), Takes.NUMBER, within=True),
    Word("chi", "tổng tiền các đơn đó", "what those orders cost", ("spent", "chitieu", "tongchi"),
         Takes.MONEY, within=True),
    Word("mua", "lần mua gần nhất", "the last order", ("bought", "lastorder", "muacuoi"), Takes.AGE, alone=True),
    Word("muadau", "lần mua đầu tiên", "the first order", ("firstorder", "mualandau"), Takes.AGE),
    Word("r", "độ gần đây của lần mua cuối, 1–5 (RFM)", "how recent the last order is, 1–5 (RFM)",
         ("recency", "ganday"), Takes.NUMBER),
    Word("f", "độ thường xuyên mua, 1–5 (RFM)", "how often they bought, 1–5 (RFM)",
         ("frequency", "thuongxuyen"), Takes.NUMBER),
    Word("m", "mức chi tiêu, 1–5 (RFM)", "how much they spent, 1–5 (RFM)", ("monetary", "mucchi"), Takes.NUMBER),
    Word("sanpham", "đã mua sản phẩm này (mã hoặc tên)", "bought this product (by code or name)",
         ("product", "sp", "sku"), Takes.NAME, within=True),
    Word("trangthai", "có đơn ở trạng thái này", "has an order in this state", ("status", "tinhtrang"),
         Takes.NAME, within=True),
    Word("diem", "điểm dùng được", "points that can be spent", ("points", "point"), Takes.NUMBER),
    Word("hethan", "điểm sắp hết hạn", "points that expire soon", ("expiring", "saphethan", "diemhethan"),
         Takes.NUMBER, alone=True, within=True),
    Word("hang", "hạng thành viên", "tier", ("tier", "hangthe"), Takes.LEVEL),
    Word("phieu", "phiếu hỗ trợ chưa đóng", "support tickets that are not closed", ("tickets", "ticket"),
         Takes.NUMBER, alone=True),
    Word("hoatdong", "lần nhắn gần nhất", "when they last wrote", ("active", "activity", "nhantin"),
         Takes.AGE, alone=True),
    Word("kenh", "có trên kênh này", "is on this channel", ("channel",), Takes.NAME),
    Word("lienhe", "nhắn được ngay (kênh này)", "can be written to now (on this channel)",
         ("reach", "reachable", "nhanduoc"), Takes.NAME, alone=True),
    Word("dongy", "đã đồng ý nhận quảng cáo (kênh này)", "agreed to marketing (on this channel)",
         ("consent", "agreed"), Takes.NAME, alone=True),
    Word("tuchoi", "đã từ chối quảng cáo (kênh này)", "opted out of marketing (on this channel)", ("optout",),
         Takes.NAME, alone=True),
    Word("ngonngu", "ngôn ngữ", "language", ("locale", "language", "lang"), Takes.NAME),
    Word("vip", "khách VIP", "is a VIP", ("khachvip",), alone=True),
    Word("tem", "số tem trên một thẻ", "stamps on a card", ("stamps", "stamp"), Takes.NUMBER),
    Word("voucher", "có voucher còn dùng được", "has a voucher that counts", ("vouchers",), alone=True),
    Word("nhom", "thuộc nhóm đã lưu (nhom:ten, nhom:ten@2)", "is in a saved segment (segment:name, segment:name@2)",
         ("segment", "group"), Takes.NAME),
)  # fmt: skip

BY_NAME: Mapping[str, Word] = {name: word for word in WORDS for name in (word.name, *word.also)}
AND = frozenset({"va", "and"})
OR = frozenset({"hoac", "or"})
NOT = frozenset({"khong", "not"})
WITHIN = frozenset({"trong", "within", "in"})
UNITS: Mapping[str, str] = {
    "gio": "gio", "h": "gio", "hour": "gio", "hours": "gio",
    "ngay": "ngay", "d": "ngay", "day": "ngay", "days": "ngay",
    "tuan": "tuan", "w": "tuan", "week": "tuan", "weeks": "tuan",
    "thang": "thang", "m": "thang", "month": "thang", "months": "thang",
    "nam": "nam", "y": "nam", "year": "nam", "years": "nam",
}  # fmt: skip
ENGLISH_UNITS: Mapping[str, str] = {"gio": "h", "ngay": "d", "tuan": "w", "thang": "months", "nam": "y"}
LONGEST_SPAN: Mapping[str, int] = {"gio": 100_000, "ngay": 36_500, "tuan": 5_200, "thang": 1_200, "nam": 100}
"""So many of a unit at most."""
MULTIPLES: Mapping[str, int] = {
    "k": 1_000, "nghin": 1_000, "ngan": 1_000, "tr": 1_000_000, "trieu": 1_000_000, "m": 1_000_000,
    "ty": 1_000_000_000, "ti": 1_000_000_000, "b": 1_000_000_000,
}  # fmt: skip
CURRENCY = frozenset({"d", "dong", "vnd"})


def folded(text: str) -> str:
    """A word as words are compared: "Sinh_nhật" → "sinhnhat"."""
    return plain(text).replace("_", "").replace(" ", "")


def near(text: str) -> list[str]:
    """Up to three words of the language that look like this one, the likeliest first, each in one spelling."""
    found = get_close_matches(folded(text), sorted(BY_NAME), n=6, cutoff=0.6)
    spelt: dict[str, str] = {}
    for name in found:
        spelt.setdefault(BY_NAME[name].name, name)
    return list(spelt.values())[:3]
