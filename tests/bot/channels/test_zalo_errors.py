"""Zalo's error codes and lanes: every documented one is known, and asks for the right thing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.channels.base import SendErrorKind, Subject, Words
from bot.channels.zalo import answers, remedies
from bot.channels.zalo.business_errors import BUSINESS
from bot.channels.zalo.errors import EXCHANGE_STRANGE, OA, OAUTH, OAUTH_STRANGE, STRANGE, UNAUTHORIZED
from bot.channels.zalo.faults import Fault
from bot.channels.zalo.rules import RULES
from crm.messages import Purpose
from crm.reach import ReachFacts, Refusal, reach

RETRY, SNOOZE, PERMANENT = SendErrorKind.RETRY, SendErrorKind.SNOOZE, SendErrorKind.PERMANENT
UNREACHABLE, AUTH = SendErrorKind.UNREACHABLE, SendErrorKind.AUTH
MESSAGE, PERSON, ACCOUNT = Subject.MESSAGE, Subject.PERSON, Subject.ACCOUNT
ALLOWANCE, PROMOTION = Subject.ALLOWANCE, Subject.PROMOTION

Outcome = tuple[SendErrorKind, Subject]
Row = tuple[str, SendErrorKind, Subject, str]
"""What Zalo's table advises (R: again; T: a new token first; L: later; N: not as it is; H: a person mends it), our
outcome, and words that the sentence for people must contain."""

ADVISED: dict[str, set[Outcome]] = {
    "R": {(RETRY, MESSAGE), (RETRY, Subject.UPLOAD), (SNOOZE, ACCOUNT)},
    "T": {(AUTH, ACCOUNT)},
    "L": {(SNOOZE, MESSAGE), (SNOOZE, PERSON), (SNOOZE, ALLOWANCE), (SNOOZE, PROMOTION)},
    "N": {(PERMANENT, MESSAGE), (PERMANENT, Subject.TEMPLATE), (PERMANENT, PERSON), (UNREACHABLE, PERSON)},
    "H": {
        (SNOOZE, ACCOUNT),
        (SNOOZE, MESSAGE),
        (SNOOZE, ALLOWANCE),
        (PERMANENT, MESSAGE),
        (PERMANENT, Subject.TEMPLATE),
    },
}
"""The outcomes that follow an advice. What a person must mend waits where more than this message hangs on it, and
ends where it is the message's own template or group: mended, it can be replayed."""

OA_ROWS: dict[int, Row] = {
    -32: ("R", SNOOZE, ACCOUNT, "too many calls"),
    -100: ("R", RETRY, Subject.UPLOAD, "uploaded file has expired"),
    -200: ("R", RETRY, MESSAGE, "could not send"),
    -201: ("N", PERMANENT, MESSAGE, "parameter or the person's id"),
    -204: ("H", SNOOZE, ACCOUNT, "oa is disabled"),
    -205: ("H", SNOOZE, ACCOUNT, "oa does not exist"),
    -209: ("H", SNOOZE, ACCOUNT, "app is not activated"),
    -210: ("N", PERMANENT, MESSAGE, "longer than"),
    -211: ("L", SNOOZE, ALLOWANCE, "quota of this feature"),
    -212: ("H", SNOOZE, ACCOUNT, "not registered this api product"),
    -213: ("N", UNREACHABLE, PERSON, "does not follow"),
    -214: ("R", RETRY, MESSAGE, "still being processed"),
    -216: ("T", AUTH, ACCOUNT, "access token is not valid"),
    -217: ("N", PERMANENT, PERSON, "blocked invitations"),
    -218: ("L", SNOOZE, PERSON, "as many messages as zalo allows"),
    -219: ("H", SNOOZE, ACCOUNT, "app was removed or disabled"),
    -220: ("T", AUTH, ACCOUNT, "expired or was removed"),
    -221: ("H", SNOOZE, ACCOUNT, "not verified"),
    -223: ("H", SNOOZE, ACCOUNT, "did not grant this right"),
    -224: ("H", SNOOZE, ACCOUNT, "package"),
    -227: ("N", UNREACHABLE, PERSON, "banned or was offline"),
    -230: ("N", PERMANENT, PERSON, "within 7 days"),
    -231: ("N", PERMANENT, PERSON, "time for consultation messages is over"),
    -232: ("N", PERMANENT, PERSON, "never wrote, or too long ago"),
    -233: ("N", PERMANENT, MESSAGE, "kind of message"),
    -234: ("L", SNOOZE, MESSAGE, "between 22:00 and 06:00"),
    -235: ("H", SNOOZE, ACCOUNT, "kind of oa"),
    -237: ("H", PERMANENT, MESSAGE, "group is disabled"),
    -238: ("N", PERMANENT, MESSAGE, "package is already used"),
    -240: ("N", PERMANENT, MESSAGE, "switched off"),
    -241: ("N", PERMANENT, MESSAGE, "used or disabled"),
    -242: ("H", SNOOZE, ACCOUNT, "proof made with the app secret"),
    -244: ("N", PERMANENT, PERSON, "does not accept this kind of message"),
    -248: ("N", PERMANENT, MESSAGE, "breaks zalo's rules"),
    -249: ("N", PERMANENT, MESSAGE, "by user id"),
    -320: ("H", SNOOZE, ALLOWANCE, "no zalo cloud account"),
    -321: ("H", SNOOZE, ALLOWANCE, "no money left"),
    -403: ("N", PERMANENT, MESSAGE, "not in this group"),
    -1340: ("N", PERMANENT, MESSAGE, "form does not exist"),
    -1341: ("N", PERMANENT, MESSAGE, "no access to the form"),
}
OLD_OA_ROWS: dict[int, Row] = {
    -202: ("H", SNOOZE, ACCOUNT, "signature of the call"),
    -207: ("H", SNOOZE, ACCOUNT, "third party"),
    -208: ("H", SNOOZE, ACCOUNT, "no secret key"),
    -215: ("H", SNOOZE, ACCOUNT, "app id is wrong"),
    -222: ("N", UNREACHABLE, PERSON, "not active"),
    -305: ("N", PERMANENT, PERSON, "48 hours"),
    -311: ("N", PERMANENT, PERSON, "free replies"),
}
"""Codes that only older programs tell of."""

BUSINESS_ROWS: dict[int, Row] = {
    -100: ("R", RETRY, MESSAGE, "unknown error"),
    -101: ("H", SNOOZE, ACCOUNT, "app is not valid"),
    -102: ("H", SNOOZE, ACCOUNT, "app does not exist"),
    -103: ("H", SNOOZE, ACCOUNT, "app is not active"),
    -104: ("H", SNOOZE, ACCOUNT, "app secret is wrong"),
    -105: ("H", SNOOZE, ACCOUNT, "not linked to the oa"),
    -106: ("N", PERMANENT, MESSAGE, "call is not supported"),
    -107: ("N", PERMANENT, MESSAGE, "message id"),
    -108: ("N", PERMANENT, MESSAGE, "phone number is not valid"),
    -109: ("N", PERMANENT, Subject.TEMPLATE, "template id"),
    -1091: ("N", PERMANENT, MESSAGE, "cannot be edited"),
    -110: ("N", PERMANENT, PERSON, "too old"),
    -111: ("N", PERMANENT, MESSAGE, "data is empty"),
    -112: ("N", PERMANENT, MESSAGE, "no type"),
    -1121: ("N", PERMANENT, MESSAGE, "value is too long"),
    -1122: ("N", PERMANENT, MESSAGE, "value is missing"),
    -1123: ("N", PERMANENT, MESSAGE, "qr code"),
    -1124: ("N", PERMANENT, MESSAGE, "right format"),
    -113: ("N", PERMANENT, MESSAGE, "button is not valid"),
    -1131: ("N", PERMANENT, MESSAGE, "button's content"),
    -1132: ("N", PERMANENT, MESSAGE, "at least one button"),
    -114: ("N", PERMANENT, PERSON, "cannot receive templates"),
    -115: ("H", SNOOZE, ALLOWANCE, "quota or the balance"),
    -116: ("N", PERMANENT, MESSAGE, "text is not valid"),
    -117: ("H", PERMANENT, Subject.TEMPLATE, "no right to this template"),
    -118: ("N", PERMANENT, PERSON, "no active zalo account"),
    -119: ("N", PERMANENT, PERSON, "account cannot receive"),
    -120: ("H", SNOOZE, MESSAGE, "no right to this feature"),
    -1201: ("H", SNOOZE, MESSAGE, "promotion templates"),
    -1202: ("H", SNOOZE, MESSAGE, "media templates"),
    -121: ("N", PERMANENT, MESSAGE, "no content"),
    -122: ("N", PERMANENT, MESSAGE, "not json"),
    -123: ("N", PERMANENT, MESSAGE, "encrypted phone number"),
    -124: ("T", AUTH, ACCOUNT, "access token"),
    -1241: ("H", SNOOZE, ACCOUNT, "proof made with the app secret"),
    -125: ("H", SNOOZE, ACCOUNT, "oa's id"),
    -126: ("H", SNOOZE, MESSAGE, "wallet for trial messages"),
    -127: ("N", PERMANENT, MESSAGE, "admins only"),
    -128: ("N", PERMANENT, MESSAGE, "no encryption key"),
    -129: ("N", PERMANENT, MESSAGE, "could not be made"),
    -130: ("N", PERMANENT, MESSAGE, "content is too long"),
    -131: ("H", PERMANENT, Subject.TEMPLATE, "not approved"),
    -132: ("N", PERMANENT, MESSAGE, "parameter is not valid"),
    -133: ("L", SNOOZE, MESSAGE, "at night"),
    -134: ("N", PERMANENT, PERSON, "not agreed"),
    -135: ("H", SNOOZE, MESSAGE, "no right to send templates"),
    -1351: ("H", SNOOZE, MESSAGE, "blocked for a violation"),
    -136: ("H", SNOOZE, ALLOWANCE, "must be linked"),
    -137: ("H", SNOOZE, ALLOWANCE, "could not be charged"),
    -138: ("H", SNOOZE, MESSAGE, "app has no right"),
    -1381: ("H", SNOOZE, MESSAGE, "extension needs"),
    -139: ("N", PERMANENT, PERSON, "refused this kind"),
    -140: ("N", PERMANENT, PERSON, "not eligible"),
    -141: ("N", PERMANENT, PERSON, "refused messages of this oa"),
    -142: ("N", PERMANENT, MESSAGE, "no encryption key"),
    -143: ("N", PERMANENT, MESSAGE, "exists already"),
    -144: ("L", SNOOZE, PROMOTION, "daily limit"),
    -1441: ("L", SNOOZE, PROMOTION, "monthly promotion limit"),
    -145: ("H", PERMANENT, MESSAGE, "kind of content"),
    -146: ("H", PERMANENT, Subject.TEMPLATE, "low quality"),
    -147: ("L", SNOOZE, MESSAGE, "template's daily limit"),
    -1471: ("L", SNOOZE, PERSON, "person's monthly limit"),
    -1472: ("L", SNOOZE, PERSON, "person's daily limit"),
    -148: ("N", PERMANENT, MESSAGE, "journey token is missing"),
    -149: ("N", PERMANENT, MESSAGE, "journey token is not valid"),
    -1491: ("N", PERMANENT, MESSAGE, "wrong type"),
    -150: ("N", PERMANENT, MESSAGE, "journey token has expired"),
    -151: ("N", PERMANENT, MESSAGE, "between the ends"),
    -152: ("N", PERMANENT, MESSAGE, "encrypted message is not valid"),
    -153: ("N", PERMANENT, MESSAGE, "encrypted message was refused"),
    -158: ("N", PERMANENT, MESSAGE, "file is too large"),
    -159: ("N", PERMANENT, MESSAGE, "format is not allowed"),
    -160: ("L", SNOOZE, MESSAGE, "daily limit of changes"),
    -161: ("N", PERMANENT, MESSAGE, "way of sending"),
    -162: ("N", PERMANENT, MESSAGE, "beyond the quota"),
}
OAUTH_ROWS: dict[int, Row] = {
    -14002: ("H", SNOOZE, ACCOUNT, "app id is wrong or the app is not active"),
    -14003: ("H", SNOOZE, ACCOUNT, "callback address"),
    -14004: ("H", SNOOZE, ACCOUNT, "app secret is wrong"),
    -14012: ("H", SNOOZE, ACCOUNT, "grant of the oa"),
    -14020: ("T", AUTH, ACCOUNT, "used or has expired"),
    -14024: ("H", SNOOZE, ACCOUNT, "grant of the oa"),
}
"""The one table where a dead token cannot be traded for another: AUTH in a refresh holds the account, and rings."""

TABLES: dict[str, tuple[dict[int, Fault], dict[int, Row]]] = {
    "openapi.zalo.me": (OA, OA_ROWS | OLD_OA_ROWS),
    "business.openapi.zalo.me": (BUSINESS, BUSINESS_ROWS),
    "oauth.zaloapp.com": (OAUTH, OAUTH_ROWS),
}
ALL = {
    **{f"{host} {code}": fault for host, (faults, _) in TABLES.items() for code, fault in faults.items()},
    **{
        "strange code": STRANGE,
        "strange refresh": OAUTH_STRANGE,
        "strange exchange": EXCHANGE_STRANGE,
        "http 401": UNAUTHORIZED,
    },
}
REMEDIES = [value for value in vars(remedies).values() if isinstance(value, Words)]
OWN_WORDS = [value for value in vars(answers).values() if isinstance(value, Words)]
WHO_EN = re.compile(r"\b(by itself|the service|admin|owner|staff|whoever|makers of this program)\b")
WHO_VI = re.compile(r"hệ thống|quản trị|chủ ứng dụng|nhân viên|người (vận hành|soạn|quản lý)|nhóm phát triển")


@pytest.mark.parametrize("host", TABLES)
def test_a_host_has_the_rows_of_its_table_and_no_others(host: str) -> None:
    faults, rows = TABLES[host]
    assert set(faults) == set(rows)


@pytest.mark.parametrize("host", TABLES)
def test_every_row_has_its_outcome_and_its_words(host: str) -> None:
    faults, rows = TABLES[host]
    for code, (advised, kind, subject, says) in rows.items():
        fault = faults[code]
        assert (fault.kind, fault.subject) == (kind, subject), code
        assert (kind, subject) in ADVISED[advised], code
        assert says in fault.words.en.lower(), code


def test_what_no_table_tells_of_has_an_outcome_too() -> None:
    assert (STRANGE.kind, STRANGE.subject) == (RETRY, MESSAGE)
    assert (OAUTH_STRANGE.kind, OAUTH_STRANGE.subject) == (SNOOZE, ACCOUNT)
    assert (UNAUTHORIZED.kind, UNAUTHORIZED.subject) == (AUTH, ACCOUNT)


def test_words_are_one_sentence_in_both_languages_and_end_with_who_can_mend_it() -> None:
    for name, fault in ALL.items():
        for words in (fault.words.en, fault.words.vi):
            assert words.endswith("."), name
            assert words.count(": ") == 1, name
            assert words[0].isupper(), name
        assert fault.words.vi != fault.words.en, name
        assert (
            [each for each in REMEDIES if fault.words.en.endswith(f": {each.en}.")]
            == [each for each in REMEDIES if fault.words.vi.endswith(f": {each.vi}.")]
            != []
        ), name


@pytest.mark.parametrize("words", [*REMEDIES, *OWN_WORDS])
def test_every_remedy_names_who_acts(words: Words) -> None:
    assert WHO_EN.search(words.en)
    assert WHO_VI.search(words.vi)


def test_what_waits_says_how_long() -> None:
    assert all((fault.retry_after is not None) == (fault.kind is SNOOZE) for fault in ALL.values())


NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "lane", "cost"),
    [
        (timedelta(minutes=1), "consultation", 0),
        (timedelta(hours=47, minutes=57), "consultation", 0),
        (timedelta(hours=48), "consultation_paid", 55),
        (timedelta(days=6, hours=23, minutes=57), "consultation_paid", 55),
    ],
)
def test_the_lane_and_its_cost_follow_the_last_interaction(ago: timedelta, lane: str, cost: int) -> None:
    found = reach(RULES, ReachFacts(Purpose.REPLY, NOW - ago, NOW))
    assert (found.allowed, found.lane, found.cost) == (True, lane, cost)


def test_after_seven_days_no_lane_is_open() -> None:
    found = reach(RULES, ReachFacts(Purpose.REPLY, NOW - timedelta(days=7), NOW))
    assert found.refusal is Refusal.WINDOW_CLOSED


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 1, 1), date(2026, 11, 22)])
def test_every_day_has_exactly_one_free_lane(day: date) -> None:
    assert [lane.name for lane in RULES.lanes if lane.in_force(day) and not (lane.cost or lane.template)] == [
        "consultation"
    ]
