"""The patient: Healthie's `User` with `is_patient`, and the lists that belong to the patient."""

from typing import Annotated

from connectors.entry import Category
from connectors.healthie.records import (
    Appointment,
    BillingItem,
    ClientSource,
    Cms1500,
    Contact,
    Flag,
    Json,
    Kind,
    Location,
    Moment,
    NotificationContact,
    Policy,
    Record,
    Referral,
    RequestedPayment,
    Staff,
    Tag,
    Task,
    UserGroup,
    UserPackageSelection,
)

Identity = Annotated[str | None, Kind.TEXT, Category.IDENTITY]
Billing = Annotated[str | None, Kind.TEXT, Category.MONEY]
Amount = Annotated[str | float | None, Kind.MONEY, Category.MONEY]


class Patient(Record):
    id: Annotated[str, Kind.TEXT]  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride] - narrower, and frozen
    active: Flag = None
    restricted: Flag = None
    archived_at: Moment = None
    created_at: Moment = None
    updated_at: Moment = None
    accessed_account: Flag = None
    last_sign_in_at: Moment = None
    has_completed_intake_forms: Flag = None

    human_id: Identity = None
    shard_aware_id: Identity = None
    first_name: Identity = None
    legal_name: Identity = None
    last_name: Identity = None
    full_legal_name: Identity = None
    dob: Annotated[str | None, Kind.DAY, Category.IDENTITY] = None
    gender: Identity = None
    gender_identity: Identity = None
    gender_identity_code: Identity = None
    sex: Identity = None
    pronouns: Identity = None
    preferred_language_code: Identity = None
    primary_race_code: Identity = None
    secondary_race_code: Identity = None
    primary_ethnicity_code: Identity = None
    secondary_ethnicity_code: Identity = None
    timezone: Identity = None
    record_identifier: Identity = None
    additional_record_identifier: Identity = None

    email: Contact = None
    skipped_email: Annotated[bool | None, Kind.FLAG, Category.CONTACT] = None
    phone_number: Contact = None
    additional_phone_number: Contact = None
    notification_contacts: list[NotificationContact] | None = None

    location: Location | None = None
    locations: list[Location] | None = None
    default_billing_type: Annotated[str | None, Kind.TEXT, Category.INSURANCE] = None
    policies: list[Policy] | None = None

    next_appt_date: Annotated[str | None, Kind.MOMENT, Category.SCHEDULE] = None
    appointments: list[Appointment] | None = None

    credit_balance: Amount = None
    money_owed: Amount = None
    stripe_id: Billing = None
    default_stripe_customer_detail_id: Billing = None
    requested_payments: list[RequestedPayment] | None = None
    billing_items: list[BillingItem] | None = None
    user_package_selections: list[UserPackageSelection] | None = None
    cms1500s: list[Cms1500] | None = None

    user_group_id: Annotated[str | None, Kind.TEXT, Category.TAGS] = None
    user_group: UserGroup | None = None
    active_tags: list[Tag] | None = None
    dietitian_id: Annotated[str | None, Kind.TEXT, Category.CARE_TEAM] = None
    dietitian: Staff | None = None
    other_providers: list[Staff] | None = None

    tasks: list[Task] | None = None
    client_source: ClientSource | None = None
    referrals: list[Referral] | None = None
    metadata: Json = None
