"""What a simulator is told when it starts: the accounts it plays, whom it knows, and how strict it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def real_time() -> datetime:
    """The time of this computer, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSpec:
    """A person who may write to the brand; empty ids on channels are derived from `id`.

    `hours_ago` says when the person last interacted on both channels; None means never.
    """

    id: str
    name: str
    phone: str = ""
    colour: str = "#5b6ee1"
    zalo_id: str = ""
    psid: str = ""
    hours_ago: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandSpec:
    """A further brand: an OA and a Page of the same apps, with people of their own; the OA may have no tokens yet.

    Its bot has a token of its own, or is not there.
    """

    name: str
    zalo_oa_id: str
    messenger_page_id: str
    messenger_page_token: str
    zalo_access_token: str = ""
    zalo_refresh_token: str = ""
    zalo_bot_token: str = ""


@dataclass(frozen=True, slots=True)
class TemplateParam:
    """One parameter of an approved ZBS template."""

    name: str
    required: bool = True
    max_length: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ZbsTemplate:
    """A Zalo (ZBS) template; `tag` is TRANSACTION, CUSTOMER_CARE or PROMOTION, prices are đồng."""

    id: str
    name: str
    text: str = ""
    params: tuple[TemplateParam, ...] = ()
    tag: str = "TRANSACTION"
    status: str = "ENABLE"
    quality: str = "HIGH"
    by_user_id: bool = True
    price_phone: int = 800
    price_uid: int = 560


SAMPLE_TEMPLATES = (
    ZbsTemplate(
        id="123456",
        name="Xác nhận đơn hàng",
        text="Chào {customer_name}, đơn {order_code} của bạn đã được xác nhận.",
        params=(TemplateParam("customer_name"), TemplateParam("order_code")),
    ),
    ZbsTemplate(
        id="123457",
        name="Mã xác thực",
        text="Mã xác thực của bạn là {otp}.",
        params=(TemplateParam("otp", max_length=10),),
        by_user_id=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Everything that is fixed for the life of a simulator; all default values are made up.

    `bot_url` is where webhooks are posted (`{bot_url}/webhooks/zalo` and `/webhooks/messenger`); it may be set
    later through `Platform.set_bot_url`. Limits of 0 are not enforced. An OA without a Zalo Cloud Account (`zalo_bills`
    is off) is refused what it would have to pay for.
    """

    bot_url: str = ""
    public_url: str = ""
    brand_name: str = "Khách Quen"
    clock: Callable[[], datetime] = real_time

    zalo_app_id: str = "1234567890123456789"
    zalo_app_secret: str = "zalo-app-secret"
    zalo_oa_id: str = "2345678901234567890"
    zalo_oa_secret_key: str = "zalo-oa-secret-key"
    zalo_access_token: str = "zalo-access-token-1"
    zalo_refresh_token: str = "zalo-refresh-token-1"
    zalo_callback_url: str = ""
    zalo_package: str = "growth"
    zalo_per_minute: int = 0
    zalo_sub_quota: int = 500
    zalo_bills: bool = True
    zbs_daily_quota: int = 500
    zbs_promotion_quota: int = 125
    zbs_templates: tuple[ZbsTemplate, ...] = SAMPLE_TEMPLATES

    zalo_bot_token: str = "1459232241454765289:zalo-bot-token"

    messenger_page_id: str = "108842917645330"
    messenger_page_token: str = "messenger-page-token"
    messenger_app_id: str = "1462098375512094"
    messenger_app_secret: str = "messenger-app-secret"
    messenger_verify_token: str = "messenger-verify-token"
    messenger_user_token: str = ""
    messenger_per_second: int = 0
    inbox_takes_threads: bool = False

    more_brands: tuple[BrandSpec, ...] = ()
    require_appsecret_proof: bool = False
    people: tuple[PersonSpec, ...] | None = None

    echoes: bool = True
    receipts: bool = True
    echo_delay_s: float = 0.0

    retries: bool = True
    retry_ladder_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)
    zalo_answer_s: float = 2.0
    messenger_answer_s: float = 5.0
