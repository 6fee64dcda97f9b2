"""What the mutations of tags, tasks, addresses, policies and appointments do."""

from connectors.sandbox.healthie import StandIn
from tests.connectors.sandbox.healthie.conftest import Client


def mutate(client: Client, root: str, selection: str, /, **values):
    """Run one mutation; gives its payload."""
    type_ = {"updatePolicy": "updatePolicyMutationInput"}.get(root, f"{root}Input")
    payload = f"{selection} messages {{ field message }}"
    document = f"mutation($input: {type_}!) {{ {root}(input: $input) {{ {payload} }} }}"
    return client.data(document, input=values)[root]


def tags_of(client: Client, patient: str) -> list[str]:
    document = "query($i: [ID]) { users(ids: $i) { nodes { active_tags { id } } } }"
    return [tag["id"] for tag in client.data(document, i=[patient])["users"]["nodes"][0]["active_tags"]]


def test_applying_a_tag_twice_is_applying_it_once(client: Client, healthie: StandIn):
    patient = healthie.create("User", first_name="Ana", last_name="Tagged", skipped_email=True)
    for _ in range(2):
        answer = mutate(
            client, "bulkApply", "tags { id }", ids=["5000001", "5000003"], taggable_user_id=patient
        )

    assert answer["messages"] is None
    assert tags_of(client, patient) == ["5000001", "5000003"]
    assert [effect["applied"] for effect in healthie.effects("bulkApply")] == [True, False]


def test_a_tag_is_removed_by_the_tags_own_id(client: Client, healthie: StandIn):
    patient = healthie.create("User", first_name="Ana", last_name="Untagged", skipped_email=True)
    healthie.tag(patient, "5000001")
    applied = healthie.rows_of("AppliedTag", patient)[0]["id"]
    wrong = mutate(client, "removeAppliedTag", "tag { id }", id=applied, taggable_user_id=patient)
    right = mutate(client, "removeAppliedTag", "tag { id }", id="5000001", taggable_user_id=patient)

    assert wrong["messages"] and right == {"tag": {"id": "5000001"}, "messages": None}
    assert tags_of(client, patient) == []
    assert client.data(
        """query($i: ID) { gone: appliedTag(id: $i) { id }
        kept: appliedTag(id: $i, include_deleted: true) { id } }""",
        i=applied,
    ) == {"gone": None, "kept": {"id": applied}}


def test_a_tag_that_exists_cannot_be_created_again(client: Client, healthie: StandIn):
    made = mutate(client, "createTag", "tag { id name }", name="Brand new")
    again = mutate(client, "createTag", "tag { id }", name="Brand new")

    assert made["tag"]["id"] in healthie.ids("Tag")
    assert (again["tag"], again["messages"][0]["field"]) == (None, "name")


def test_unknown_tags_are_refused_as_a_whole(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    before = tags_of(client, patient)
    answer = mutate(client, "bulkApply", "tags { id }", ids=["5000002", "42"], taggable_user_id=patient)

    assert answer["messages"] and tags_of(client, patient) == before


def test_addresses_are_made_changed_and_deleted_by_id(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    before = len(healthie.rows_of("Location", patient))
    made = mutate(
        client, "createLocation", "location { id zip }", user_id=patient, zip="02118", city="Boston"
    )
    id_ = made["location"]["id"]
    changed = mutate(client, "updateLocation", "location { id zip city }", id=id_, zip="01013")
    count = len(healthie.rows_of("Location", patient))
    mutate(client, "deleteLocation", "location { id }", id=id_)
    again = mutate(client, "deleteLocation", "location { id }", id=id_)

    assert changed["location"] == {"id": id_, "zip": "01013", "city": "Boston"}
    assert (count, len(healthie.rows_of("Location", patient))) == (before + 1, before)
    assert again["messages"][0]["message"] == "Location not found"


def test_a_policy_keeps_its_owner_and_reads_dates(client: Client, healthie: StandIn):
    first, second = healthie.ids()[:2]
    id_ = healthie.create("Policy", user_id=first, num="W1", priority_type="primary")
    selection = "policy { priority_type effective_start metadata }"
    changed = mutate(
        client,
        "updatePolicy",
        selection,
        id=id_,
        priority_type="secondary",
        effective_start="2026-01-01",
        metadata={"a": 1},
    )
    stolen = mutate(client, "updatePolicy", selection, id=id_, user_id=second)
    broken = mutate(client, "updatePolicy", selection, id=id_, effective_start="January")

    assert changed["policy"] == {
        "priority_type": "secondary",
        "effective_start": "2026-01-01T00:00:00-05:00",
        "metadata": {"a": 1},
    }
    assert stolen["messages"][0]["message"] == "Unauthorized"
    assert broken["messages"][0]["field"] == "effective_start"


def test_tasks_are_made_completed_and_deleted(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    blank = mutate(client, "createTask", "task { id }", client_id=patient, content="")
    made = mutate(
        client,
        "createTask",
        "task { id complete assignees(first: 2) { nodes { id } } }",
        content="Call",
        client_id=patient,
        due_date="2026-12-01T09:00:00-05:00",
    )
    id_ = made["task"]["id"]
    done = mutate(client, "updateTask", "task { complete completed_at }", id=id_, complete=True)
    listed = client.data("query($c: ID) { tasks(client_id: $c, first: 50) { nodes { id } } }", c=patient)
    mutate(client, "deleteTask", "task { id }", id=id_)

    assert blank["messages"][0]["field"] == "content"
    assert made["task"]["assignees"]["nodes"] == [{"id": "1000001"}]
    assert done["task"]["complete"] is True and done["task"]["completed_at"]
    assert {"id": id_} in listed["tasks"]["nodes"]
    assert id_ not in healthie.ids("Task")


def test_booking_adds_the_keys_owner_unless_both_parties_are_sent(client: Client, healthie: StandIn):
    booking = {
        "user_id": healthie.ids()[0],
        "appointment_type_id": "7700001",
        "contact_type": "Phone Call",
        "datetime": "2026-12-24 09:30",
        "timezone": "America/Los_Angeles",
    }
    selection = "appointment { id date end providers { id } length }"
    added = mutate(client, "createAppointment", selection, **booking, other_party_id="1000003")
    exact = mutate(
        client, "createAppointment", selection, **booking, other_party_id="1000003", providers="1000003"
    )
    indoors = mutate(client, "createAppointment", selection, **{**booking, "contact_type": "In Person"})

    assert [one["id"] for one in added["appointment"]["providers"]] == ["1000003", "1000001"]
    assert [one["id"] for one in exact["appointment"]["providers"]] == ["1000003"]
    assert exact["appointment"]["date"] == "2026-12-24T12:30:00-05:00"
    assert exact["appointment"]["end"] == "2026-12-24T13:30:00-05:00"
    assert indoors["messages"][0]["field"] == "appointment_location_id"


def test_an_appointments_status_metadata_and_time_can_be_changed(client: Client, healthie: StandIn):
    id_ = healthie.ids("Appointment")[0]
    selection = "appointment { pm_status pm_status_changed_at metadata date }"
    changed = mutate(
        client, "updateAppointment", selection, id=id_, pm_status="Late Cancellation", metadata={"k": "v"}
    )
    moved = mutate(client, "updateAppointment", selection, id=id_, datetime="2027-01-02T10:00:00Z")
    wrong = mutate(client, "updateAppointment", selection, id=id_, pm_status="Vanished")

    assert changed["appointment"]["pm_status"] == "Late Cancellation"
    assert changed["appointment"]["pm_status_changed_at"] and changed["appointment"]["metadata"] == {"k": "v"}
    assert moved["appointment"]["date"] == "2027-01-02T05:00:00-05:00"
    assert wrong["messages"][0]["field"] == "pm_status"


def test_deleting_an_appointment_is_soft(client: Client, healthie: StandIn):
    id_ = healthie.ids("Appointment")[1]
    mutate(client, "deleteAppointment", "appointment { id deleted_at }", id=id_)
    again = mutate(client, "deleteAppointment", "appointment { id }", id=id_)
    document = "query($i: ID) { appointment(id: $i, include_deleted: true) { deleted_at } }"

    assert client.data(document, i=id_)["appointment"]["deleted_at"]
    assert again["messages"][0]["message"] == "Appointment not found"
