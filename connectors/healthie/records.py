"""What Healthie returns, typed: the patient and everything structured around the patient.

Names are Healthie's own. The annotations say what a field is (`Kind`) and what kind of patient data
(`Category`); the catalogue of entry fields is derived from them. A field that was not selected is
unset. Unknown fields are dropped here, so that nothing reaches an entry that was not asked for.
"""

from enum import Enum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.entry import Category


class Kind(Enum):
    """How a value of Healthie's becomes a value of an entry."""

    TEXT = "str"
    FLAG = "bool"
    WHOLE = "int"
    DAY = "date"
    MOMENT = "datetime"
    MONEY = "money"  # decimal text or number, beside `currency` or in US dollars -> `<name>_minor`
    CENTS = "cents"  # integer cents -> `<name>_minor`
    JSON = "json"  # an object, or the text of one


Text = Annotated[str | None, Kind.TEXT]
Flag = Annotated[bool | None, Kind.FLAG]
Whole = Annotated[int | None, Kind.WHOLE]
Day = Annotated[str | None, Kind.DAY]
Moment = Annotated[str | None, Kind.MOMENT]
Money = Annotated[str | float | None, Kind.MONEY]
Cents = Annotated[int | None, Kind.CENTS]
Json = Annotated[JsonValue, Kind.JSON, Category.CUSTOM]
StatusMoment = Annotated[str | None, Kind.MOMENT, Category.STATUS]
Contact = Annotated[str | None, Kind.TEXT, Category.CONTACT]


class Record(BaseModel):
    """Base of what Healthie returns. `category` holds for all fields that do not name their own."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True
    )
    category: ClassVar[Category] = Category.STATUS
    money_beside: ClassVar[str | None] = None  # the field that names the currency; None: US dollars
    id: Text = None


class Location(Record):
    category = Category.ADDRESS
    name: Text = None
    line1: Text = None
    line2: Text = None
    city: Text = None
    state: Text = None
    zip: Text = None
    country: Text = None


class Tag(Record):
    category = Category.TAGS
    name: Text = None


class UserGroup(Record):
    category = Category.TAGS
    name: Text = None


class Staff(Record):
    """A `User` who is no patient: a provider of the practice."""

    category = Category.CARE_TEAM
    first_name: Text = None
    last_name: Text = None
    full_name: Text = None
    email: Text = None
    npi: Text = None


class InsurancePlan(Record):
    category = Category.INSURANCE
    payer_id: Text = None
    payer_name: Text = None
    name_and_id: Text = None
    is_custom: Flag = None


class Policy(Record):
    category = Category.INSURANCE
    name: Text = None
    num: Text = None
    group_num: Text = None
    priority_type: Text = None
    type_string: Text = None
    effective_start: Moment = None
    effective_end: Moment = None
    copay_value: Cents = None
    coinsurance_value: Whole = None
    insurance_billing_method: Text = None
    policy_phone_number: Text = None
    holder_relationship: Text = None
    holder_first: Text = None
    holder_mi: Text = None
    holder_last: Text = None
    holder_dob: Day = None
    holder_gender: Text = None
    holder_phone: Text = None
    created_at: StatusMoment = None
    updated_at: StatusMoment = None
    metadata: Json = None
    insurance_plan: InsurancePlan | None = None


class AppointmentType(Record):
    category = Category.SCHEDULE
    name: Text = None


class Appointment(Record):
    category = Category.SCHEDULE
    date: Moment = None
    end: Moment = None
    length: Whole = None
    timezone_abbr: Text = None
    contact_type: Text = None
    location: Text = None
    pm_status: Text = None
    pm_status_changed_at: Moment = None
    confirmed: Flag = None
    client_confirmed: Flag = None
    is_group: Flag = None
    created_at: StatusMoment = None
    updated_at: StatusMoment = None
    deleted_at: StatusMoment = None
    metadata: Json = None
    appointment_type: AppointmentType | None = None
    provider: Staff | None = None


class RequestedPayment(Record):
    """An invoice."""

    category = Category.MONEY
    money_beside = "currency"
    invoice_id: Text = None
    invoice_type: Text = None
    status: Text = None
    price: Money = None
    balance_due: Money = None
    currency: Text = None
    recipient_id: Text = None
    sender_id: Text = None
    appointment_id: Text = None
    cms1500_id: Text = None
    offering_id: Text = None
    paid_at: Moment = None
    created_at: StatusMoment = None
    updated_at: StatusMoment = None
    metadata: Json = None


class BillingItem(Record):
    """A payment."""

    category = Category.MONEY
    money_beside = "currency"
    state: Text = None
    amount_paid: Money = None
    net_payment: Money = None
    refund_amount: Money = None
    currency: Text = None
    payment_medium: Text = None
    failure_reason: Text = None
    stripe_charge_id: Text = None
    requested_payment_id: Text = None
    offering_id: Text = None
    sender_id: Text = None
    recipient_id: Text = None
    is_recurring: Flag = None
    is_outside_payment: Flag = None
    created_at: StatusMoment = None
    updated_at: StatusMoment = None
    deleted_at: StatusMoment = None


class Cms1500(Record):
    """A claim. Its codes are clinical and not offered."""

    category = Category.CLAIMS
    status: Text = None
    total_charge: Money = None
    amount_paid: Money = None
    amount_reimbursed: Money = None
    client_responsibility: Money = None
    primary_plan_name: Text = None
    date_of_service: Moment = None
    created_at: StatusMoment = None
    updated_at: StatusMoment = None


class Offering(Record):
    category = Category.MONEY
    money_beside = "currency"
    name: Text = None
    price: Money = None
    currency: Text = None
    billing_frequency: Text = None
    archived: Flag = None


class UserPackageSelection(Record):
    """A package that the patient bought."""

    category = Category.MONEY
    created_at: StatusMoment = None
    offering: Offering | None = None


class Task(Record):
    category = Category.TASKS
    content: Annotated[str | None, Kind.TEXT, Category.FREE_TEXT] = None
    complete: Flag = None
    completed_at: Moment = None
    due_date: Moment = None
    priority: Whole = None
    created_by_id: Text = None
    user_id: Text = None
    created_at: StatusMoment = None
    updated_at: StatusMoment = None
    metadata: Json = None


class ReferringPhysician(Record):
    category = Category.REFERRALS
    full_name: Text = None
    npi: Text = None
    business_name: Text = None


class Referral(Record):
    category = Category.REFERRALS
    created_at: StatusMoment = None
    updated_at: StatusMoment = None
    metadata: Json = None
    referring_physician: ReferringPhysician | None = None


class ClientSource(Record):
    category = Category.REFERRALS
    ref_type: Text = None
    ref_source: Text = None
    ref_source_other: Text = None
    readable_source: Text = None


class NotificationContact(Record):
    """A relative or another person to notify: a third party's data."""

    category = Category.CONTACT
    first_name: Text = None
    last_name: Text = None
    email: Text = None
    phone_number: Text = None
    relationship: Text = None
    emergency: Flag = None
    updated_at: StatusMoment = None
