"""What Healthie's writes take. The patient is no argument: the engine binds it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from connectors.operation import ArgumentModel
from connectors.values import storable

Word = Annotated[str, StringConstraints(max_length=255), AfterValidator(storable)]
Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(storable)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
State = Annotated[str, StringConstraints(max_length=64), AfterValidator(storable)]


class UpdateClient(ArgumentModel):
    """Only the given values change. Null clears one; a null group takes the patient out of the group."""

    first_name: Word | None = None
    last_name: Word | None = None
    legal_name: Word | None = None
    email: Word | None = None
    phone_number: Word | None = None
    additional_phone_number: Word | None = None
    dob: date | None = None
    gender: Word | None = None
    gender_identity_code: (
        Literal[
            "MALE",
            "FEMALE",
            "FEMALE_TO_MALE",
            "MALE_TO_FEMALE",
            "GENDERQUEER",
            "OTHER",
            "CHOOSE_NOT_TO_DISCLOSE",
        ]
        | None
    ) = None
    sex: Word | None = None
    pronouns: Word | None = None
    preferred_language_code: Word | None = None
    timezone: Word | None = None
    record_identifier: Word | None = None
    additional_record_identifier: Word | None = None
    default_billing_type: Literal["SELF_PAY", "INSURANCE_PAY"] | None = None
    user_group_id: Id | None = None
    dietitian_id: Id = ""
    active: bool = True


class CreateClient(ArgumentModel):
    """`dietitian_id` is the primary provider; Healthie would take the key's own account."""

    first_name: Word
    last_name: Word
    dietitian_id: Id
    email: Word | None = None
    legal_name: Word | None = None
    phone_number: Word | None = None
    dob: date | None = None
    gender: Word | None = None
    timezone: Word | None = None
    default_billing_type: Literal["SELF_PAY", "INSURANCE_PAY"] | None = None
    user_group_id: Id | None = None


class TagArguments(ArgumentModel):
    tag_id: Id


class CreateLocation(ArgumentModel):
    line1: Word
    city: Word
    state: State
    zip: State
    name: Word | None = None
    line2: Word | None = None
    country: State | None = None


class UpdateLocation(ArgumentModel):
    location_id: Id
    name: Word | None = None
    line1: Word | None = None
    line2: Word | None = None
    city: Word | None = None
    state: State | None = None
    zip: State | None = None
    country: State | None = None


class SetMetadata(ArgumentModel):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
    value: Text | bool | int | float | None


class CreateTask(ArgumentModel):
    content: Annotated[Text, Field(min_length=1)]
    assignee_id: Id
    due_date: AwareDatetime | None = None
    priority: Annotated[int, Field(ge=0, le=1)] | None = None


class UpdateTask(ArgumentModel):
    task_id: Id
    due_date: AwareDatetime | None = None
    priority: Annotated[int, Field(ge=0, le=1)] = 0
    assignee_id: Id = ""


class CompleteTask(ArgumentModel):
    task_id: Id


class NoArguments(ArgumentModel):
    """The patient alone says it."""


class FindClient(ArgumentModel):
    last_name: Word
    dob: date
    first_name: Word | None = None
    email: Word | None = None
