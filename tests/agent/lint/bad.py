"""Sentences with something wrong, as practices write them: what kind of wrong, and where."""

# ruff: noqa: E501  # a table reads better in long lines

from agent.lint import Kind
from connectors.entry import Category
from tests.agent.lint.world import HELD, Case

B, P, T = "bullets", "prose", "table"
C, U, V, M = Kind.CONTRADICTORY, Kind.UNREACHABLE, Kind.VAGUE, Kind.UNMEASURABLE
I, X, F = Kind.IMPOSSIBLE, Kind.EXCESSIVE, Kind.FORBIDDEN  # noqa: E741
NO_MONEY = tuple(kind for kind in HELD if kind is not Category.MONEY)
STATUS = (
    'Status: "new" if no visit occurred, "active" if the last one is at most 182 days ago, else "lapsed".\n'
)

BAD = [
    # contradictory
    Case(
        B,
        'Archived patients: left alone; reason `archived`.\nArchived patients: status "archived".',
        "status",
        kind=C,
    ),
    Case(B, "No e-mail: leave the column empty.\nNo e-mail: the column is left as it is.", "email", kind=C),
    Case(
        B,
        'Age group: "minor" below 18 years, "adult" from 16 years, "senior" from 65 years.',
        "age_group",
        kind=C,
    ),
    Case(
        P,
        'A patient with the tag "No data sharing" is left alone.\nA patient with the tag "No data sharing" is for a person to review.',
        "",
        "active_tags.name",
        kind=C,
    ),
    Case(
        P,
        "The e-mail is written in small letters.\nThe e-mail is written exactly as it is in Healthie.",
        "email",
        kind=C,
    ),
    Case(
        P,
        'The status is "lapsed" if the last visit is more than 182 days ago.\nFor the front desk, the status is "lapsed" if the last visit is more than 90 days ago.',
        "status",
        kind=C,
    ),
    Case(T, 'archived | status | "archived"\narchived | status | "lapsed"', "status", kind=C),
    Case(
        T,
        "no phone number → the phone is emptied\nno phone number → the phone is left as it is",
        "phone",
        kind=C,
    ),
    Case(T, "state | in capital letters\nstate | in small letters", "state", kind=C),
    Case(
        P,
        'An archived patient\'s row gets the status "archived"; nothing else of the row is changed.\nArchived patients are skipped, whatever else is true of them.',
        "status",
        kind=C,
    ),
    # unreachable
    Case(
        B,
        'Archived patients: skip.\nArchived patients with a balance: status "archived".',
        "status",
        "requested_payments.balance_due_minor",
        kind=U,
    ),
    Case(B, 'Older than 65 years and younger than 18 years: age group "senior".', "age_group", kind=U),
    Case(B, 'Patients who are active and archived: status "active".', "status", kind=U),
    Case(
        P,
        "A patient without a last name is for a person to review.\nA patient without a last name and without an e-mail is left alone.",
        "email",
        "last_name",
        kind=U,
    ),
    Case(
        P,
        'A patient who has no appointment and whose appointment was cancelled gets the status "lapsed".',
        "status",
        kind=U,
    ),
    Case(P, 'An active patient who is archived gets the status "archived".', "status", kind=U),
    Case(
        T,
        "archived → skip\narchived, with a phone number → phone as +1 and ten digits",
        "phone",
        "active",
        kind=U,
    ),
    Case(T, 'status | "lapsed" | without a visit and the visit more than 182 days ago', "status", kind=U),
    Case(T, 'age group | "senior" | at least 65 years and below 60 years', "age_group", kind=U),
    # vague
    Case(B, 'Status: "active" if seen recently.', "status", kind=V),
    Case(B, "Next visit: only if it is soon, otherwise emptied.", "next_visit", kind=V),
    Case(B, 'Priority: "high" for important patients, else "low".', "priority", kind=V),
    Case(B, "Send a patient's row only if it makes sense.", "", kind=V),
    Case(P, 'Patients who come in frequently get the status "active".', "status", kind=V),
    Case(
        P,
        'The priority is "high" for a patient with several open invoices, else "low".',
        "priority",
        "requested_payments.status",
        kind=V,
    ),
    Case(
        P, "The phone number is corrected where necessary and written as +1 and ten digits.", "phone", kind=V
    ),
    Case(
        P,
        'A patient with a large balance gets the priority "high"; all others get "low".',
        "priority",
        "requested_payments.balance_due_minor",
        kind=V,
    ),
    Case(T, 'status | "lapsed" | not seen for a long time', "status", kind=V),
    Case(T, 'status | "active" | about 180 days since the last visit', "status", kind=V),
    Case(T, "full name | first name, last name, suffix, etc.", "full_name", kind=V),
    # unmeasurable
    Case(B, 'Priority: "high" for patients who are likely to leave.', "priority", kind=M),
    Case(B, 'Status: "active" if there was a visit in the last 6.', "status", kind=M),
    Case(B, "Skip patients who are unhappy with us.", "", kind=M),
    Case(P, 'Patients who seem interested in a package get the priority "high".', "priority", kind=M),
    Case(
        P,
        'If the open balance is more than 100, the priority is "high", else "low".',
        "priority open_balance_cents",
        kind=M,
    ),
    Case(P, "A patient who complained about parking is for a person to review.", "", kind=M),
    Case(P, 'A patient who is doing better gets the status "active".', "status", kind=M),
    Case(T, 'priority | "high" | loyal patients', "priority", kind=M),
    Case(T, 'status | "lapsed" | last visit more than 90 ago', "status", kind=M),
    Case(T, "patients whose neighbour is a patient, too → skip", "", kind=M),
    # impossible
    Case(B, 'Status: "paused" if the patient is on leave.', "status", kind=I),
    Case(B, "Delete the row of an archived patient.", "", "active", kind=I),
    Case(B, "Column `loyalty_tier`: the e-mail.", "email", kind=I),
    Case(P, 'The next visit is "none" if there is no appointment.', "next_visit", kind=I),
    Case(
        P,
        "Each patient with an open balance is sent a text message on the day before the visit.",
        "",
        "requested_payments.balance_due_minor",
        kind=I,
    ),
    Case(P, "There is one row for each appointment, with its day.", "next_visit", kind=I),
    Case(
        P,
        'The age group is "minor" below 18 years, "teenager" from 18 to 19 years, else "adult".',
        "age_group",
        kind=I,
    ),
    Case(T, 'open balance cents | "none" | no invoice', "open_balance_cents", kind=I),
    Case(T, "archived → remove the row from the table", "", "active", kind=I),
    Case(T, "table `visits` | one row | each patient", "", kind=I),
    # excessive
    Case(B, "Everything we have on file goes into the row.", "", kind=X),
    Case(
        B,
        "Phone: as +1 and ten digits.",
        "phone",
        "dob",
        kind=X,
        program='def decide(entry, today):\n    return [warehouse_upsert_patients(because=["S1", "S2"], full_name=entry["first_name"] + entry["last_name"], phone=entry["phone_number"])]\n',
    ),
    Case(B, "All other details of the patient as well.", "", kind=X),
    Case(P, "The row also holds any other information that Healthie has about the patient.", "", kind=X),
    Case(
        P,
        "The name is the first and the last name, with one space between them.",
        "full_name",
        "legal_name",
        kind=X,
        program='def decide(entry, today):\n    return [warehouse_upsert_patients(because=["S1", "S2"], full_name=entry["first_name"] + entry["last_name"])]\n',
    ),
    Case(
        P,
        "The referral channel is the custom attribute `referral_channel`.",
        "referral_channel",
        "metadata -metadata.referral_channel",
        kind=X,
        program='def decide(entry, today):\n    own = entry.get("metadata") or {}\n    return [warehouse_upsert_patients(because=["S1", "S2"], full_name=entry["first_name"] + entry["last_name"], referral_channel=own.get("referral_channel"))]\n',
    ),
    Case(T, "full record | as it is", "", kind=X),
    Case(
        T,
        "email | in small letters",
        "email",
        "policies.num",
        kind=X,
        program='def decide(entry, today):\n    return [warehouse_upsert_patients(because=["S1", "S2"], full_name=entry["first_name"] + entry["last_name"], email=entry["email"])]\n',
    ),
    Case(T, "notes column | all metadata of the patient, just in case", "", kind=X),
    # forbidden
    Case(B, 'Status: "active" if the last session note says so.', "status", kind=F),
    Case(B, 'Priority: "high" with a diagnosis of diabetes.', "priority", kind=F),
    Case(B, "Open balance in cents.", "open_balance_cents", kind=F, held=NO_MONEY),
    Case(P, "If the therapist's notes mention a relapse, a person has to look.", "", kind=F),
    Case(
        P, "What was discussed in the last visit is summed up in one line.", "", "appointments.date", kind=F
    ),
    Case(
        P,
        'The priority is "high" for a patient with an unpaid invoice, else "low".',
        "priority",
        "requested_payments.status",
        kind=F,
        held=NO_MONEY,
    ),
    Case(T, "medication | as it is in the chart", "", kind=F),
    Case(T, 'priority | "high" | intake form answers say urgent', "priority", kind=F),
    Case(T, "social security number | last four digits", "", kind=F),
]
