"""
What the programme's operator decides: who accepts what, where, and up to how much.

One `Policy` is one immutable version of it. A worker keeps the newest it has seen; the
locked read of a batch tells whether a newer one is in force (design 3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from currency import Currency, RateBook
from gateway.domain.cash_out_rules import NO_CASH_OUT_RULES, CashOutRules
from gateway.domain.errors import (
    DeviceDeniedError,
    ServiceDeniedError,
    TerminalDeniedError,
)
from gateway.domain.ids import (
    IssueBatchId,
    LimitSetId,
    MerchantId,
    ProductId,
    ProgramId,
    RestrictionSetId,
    StoreGroupId,
    StoreId,
    TerminalId,
)
from gateway.domain.limits import Limits
from gateway.domain.restrictions import Restriction
from gateway.domain.results import ActivityType
from gateway.domain.staff import PERMITTED, Acting, StaffRole, role_denied

# What a product has that says nothing else.
DEFAULT_PIN_MAX_TRIES: Final = 3
DEFAULT_PIN_LOCK_S: Final = 3_600


class PartyState(IntEnum):
    """
    Where a merchant, a store or a terminal stands.
    """

    ACTIVE = 1
    SUSPENDED = 2
    CLOSED = 3


class DeviceKind(IntEnum):
    """
    TERMINAL speaks for one terminal, CONTROLLER for every terminal of its store.

    STAFF is a person at a desk, with a terminal of their own.
    """

    TERMINAL = 1
    CONTROLLER = 2
    STAFF = 3


class DeviceName(NamedTuple):
    """
    How a certificate names its device: merchant, store and device code.
    """

    merchant: str
    store: str
    device: str


class Caller(NamedTuple):
    """
    Who calls, as the handshake proved it: the certificate's device and its SHA-256.
    """

    device: DeviceName
    certificate_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    An issuer's rules for its cards. `time_zone` decides when a card's last day ends.

    `tip_tolerance_bps` is how much more than a hold's amount may be captured of it, in
    hundredths of a percent.
    """

    program_id: ProgramId
    code: str
    name: str
    time_zone: ZoneInfo
    tip_tolerance_bps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """
    What a kind of card may do.

    Limits are in minor units of `currency`; None is no limit.

    A card that is not `reloadable` takes one load (single-use); it may be spent in
    several sales and is DEPLETED at zero. `validity_days` counts from activation.
    `cash_out_limit_minor` is the largest balance that is paid out in cash everywhere;
    None leaves it to the law of the store. A hold on its cards lives at most
    `hold_ttl_s` seconds.

    `pin_max_tries` wrong PINs in a row lock a card's PIN, for as long as nobody has
    tried it for `pin_lock_s`.
    """

    product_id: ProductId
    program_id: ProgramId
    code: str
    currency: Currency
    reloadable: bool
    fixed_amount_minor: int | None
    permitted: frozenset[ActivityType]
    max_load_minor: int | None
    max_redeem_minor: int | None
    max_balance_minor: int | None
    validity_days: int | None
    cash_out_limit_minor: int | None = None
    restriction_set_id: RestrictionSetId | None = None
    limit_set_id: LimitSetId | None = None
    pin_required_for: frozenset[ActivityType] = frozenset()
    pin_max_tries: int = DEFAULT_PIN_MAX_TRIES
    pin_lock_s: int = DEFAULT_PIN_LOCK_S
    hold_ttl_s: int = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """
    Who accepts cards and is paid for it.
    """

    merchant_id: MerchantId
    code: str
    name: str
    state: PartyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """
    Where cards are accepted.

    `cut_off` is the local time at which its business day begins. `jurisdiction` is the
    part of the country whose law holds there (`US-CA`); None: its country's alone.
    `merchant_category` is what it sells, by the four digits of ISO 18245, if anybody
    said.
    """

    store_id: StoreId
    merchant_id: MerchantId
    code: str
    country: str
    currencies: frozenset[str]
    time_zone: ZoneInfo
    cut_off: time
    state: PartyState
    jurisdiction: str | None = None
    merchant_category: str | None = None
    groups: frozenset[StoreGroupId] = frozenset()

    def business_date(self, at: datetime) -> date:
        """
        Give the business day that `at` counts for.

        In the hour that comes twice when clocks go back, the cut-off is its first
        time: a day that has begun is never left again.
        """
        local = at.astimezone(self.time_zone)
        day = local.date()
        if local.time() >= self.cut_off or (
            local.fold and datetime.combine(day, self.cut_off, self.time_zone) <= at
        ):
            return day
        return day - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """
    On what a card is used. Request ids belong to it.

    One of `two_message` confirms what was approved there. Up to the floor limit it may
    sell while it cannot ask; it has both of the fields, or none: then it may not.
    """

    terminal_id: TerminalId
    store_id: StoreId
    code: str
    state: PartyState
    two_message: bool = False
    floor_limit_minor: int | None = None
    floor_limit_currency: Currency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """
    What holds a certificate. `revoked` takes its access away at once.

    `roles` are those of a STAFF device; others have none.
    """

    name: DeviceName
    store_id: StoreId
    kind: DeviceKind
    terminal_id: TerminalId | None
    revoked: bool
    certificates: frozenset[bytes]
    roles: frozenset[StaffRole] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where a request counts: a terminal, its store and its merchant.
    """

    terminal: Terminal
    store: Store
    merchant: Merchant


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    One version of everything above, with the rates.

    `accepted` holds the pairs of programme and merchant that go together.
    `max_rate_age` holds, by currency code, how old a rate may be; a currency without an
    entry never ages.

    `restrictions` holds the version in force of each set; `issue_batches` the sets of
    those issue batches that have one. `limits` and `batch_limits` are the same for
    limits; `terminal_limits` holds those of terminals that have or had any. `desks` are
    the terminals of staff, for which no till speaks.
    """

    version: int
    programs: dict[ProgramId, Program]
    products: dict[ProductId, Product]
    devices: dict[DeviceName, Device]
    places: dict[TerminalId, Place]
    terminal_ids: dict[tuple[StoreId, str], TerminalId]
    accepted: frozenset[tuple[ProgramId, MerchantId]]
    rates: RateBook
    max_rate_age: dict[str, timedelta]
    cash_out_rules: CashOutRules = NO_CASH_OUT_RULES
    restrictions: Mapping[RestrictionSetId, Restriction] = field(default_factory=dict)
    issue_batches: Mapping[IssueBatchId, RestrictionSetId] = field(default_factory=dict)
    limits: Mapping[LimitSetId, Limits] = field(default_factory=dict)
    batch_limits: Mapping[IssueBatchId, LimitSetId] = field(default_factory=dict)
    terminal_limits: Mapping[TerminalId, Limits] = field(default_factory=dict)
    desks: frozenset[TerminalId] = frozenset()

    def device_of(self, caller: Caller) -> Device:
        """
        Give the caller's device.

        Raises:
            DeviceDeniedError: unknown, revoked, or with a certificate taken back.

        """
        device = self.devices.get(caller.device)
        if device is None:
            message = "the certificate names no registered device"
            raise DeviceDeniedError(message)
        if device.revoked or caller.certificate_sha256 not in device.certificates:
            message = "the device or its certificate was revoked"
            raise DeviceDeniedError(message)
        return device

    def till_of(self, caller: Caller) -> Device:
        """
        Give the caller's device, which is no staff member's.

        Raises:
            DeviceDeniedError: as `device_of`.
            ServiceDeniedError: it is.

        """
        device = self.device_of(caller)
        if device.kind is DeviceKind.STAFF:
            message = "a certificate of kind STAFF cannot do what tills do"
            raise ServiceDeniedError(message)
        return device

    def staff_of(self, caller: Caller) -> Device:
        """
        Give the caller's device, which is a staff member's.

        Raises:
            DeviceDeniedError: as `device_of`.
            ServiceDeniedError: it is none.

        """
        device = self.device_of(caller)
        if device.kind is not DeviceKind.STAFF:
            message = "this needs a certificate of kind STAFF"
            raise ServiceDeniedError(message)
        return device

    def terminal_of(self, caller: Caller, terminal_code: str) -> TerminalId:
        """
        Give the terminal a request counts for; "" stands for the device's own.

        Raises:
            DeviceDeniedError, ServiceDeniedError: as `till_of`.
            TerminalDeniedError: the terminal is not the device's to speak for.

        """
        device = self.till_of(caller)
        if device.terminal_id is not None:
            own = self.places[device.terminal_id].terminal
            if terminal_code and terminal_code != own.code:
                message = (
                    "terminal_id: this certificate speaks for its own terminal only"
                )
                raise TerminalDeniedError(message)
            return self._no_desk(device.terminal_id)
        if not terminal_code:
            message = "terminal_id: a controller names a terminal of its store"
            raise TerminalDeniedError(message)
        return self._no_desk(self._terminal_of_store(device.store_id, terminal_code))

    def sibling_of(self, caller: Caller, terminal_code: str) -> TerminalId:
        """
        Give a terminal of the caller's store, as what names an original may name it.

        What staff asked at a desk of the store is theirs: it is no till's original.

        Raises:
            DeviceDeniedError, ServiceDeniedError: as `till_of`.
            TerminalDeniedError: the terminal is not in the caller's store, or a desk.

        """
        store_id = self.till_of(caller).store_id
        return self._no_desk(self._terminal_of_store(store_id, terminal_code))

    def _terminal_of_store(self, store_id: StoreId, terminal_code: str) -> TerminalId:
        terminal_id = self.terminal_ids.get((store_id, terminal_code))
        if terminal_id is None:
            message = "terminal_id: no such terminal in this device's store"
            raise TerminalDeniedError(message)
        return terminal_id

    def _no_desk(self, terminal_id: TerminalId) -> TerminalId:
        if terminal_id in self.desks:
            message = "terminal_id: this terminal is the desk of a staff member"
            raise TerminalDeniedError(message)
        return terminal_id

    def check_caller(
        self, caller: Caller, terminal_id: TerminalId, acting: Acting | None = None
    ) -> Place:
        """
        Refuse a caller who may no longer speak for a terminal, else give its place.

        With `acting` it is a staff member's request, without a till's.

        Raises:
            DeviceDeniedError: as `device_of`.
            ServiceDeniedError: the device is of the other kind.
            RoleDeniedError: the staff member has the role no more that they act in.
            TerminalDeniedError: the terminal is not the device's to speak for.

        """
        if acting is None:
            device = self.till_of(caller)
            self._no_desk(terminal_id)
        else:
            device = self.staff_of(caller)
            if acting.role not in device.roles & PERMITTED[acting.operation]:
                raise role_denied(acting.operation)
            if acting.staff != device.name.device:
                message = "the request is another staff member's"
                raise DeviceDeniedError(message)
        place = self.places.get(terminal_id)
        if place is None or (
            device.terminal_id != terminal_id
            if device.terminal_id is not None
            else place.store.store_id != device.store_id
        ):
            message = "terminal_id: this device does not speak for the terminal"
            raise TerminalDeniedError(message)
        return place
