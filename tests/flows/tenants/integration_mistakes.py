"""Mistakes that people make in an integration's files: integration.yaml, instructions.md and program.py."""

# ruff: noqa: E501  # a table reads better in long lines

from tests.flows.tenants.mistake import FIELDS, INSTRUCTIONS, PROGRAM, WAREHOUSE, Mistake

OF_AN_INTEGRATION = [
    Mistake(
        "misspelled grant", WAREHOUSE, "transforms: [lower]", "transform: [lower]",
        "transform: [lower]", "columns.email.transform is not a key that Ferry knows; write transforms",
    ),
    Mistake(
        "connection that is absent", WAREHOUSE, "connection: warehouse", "connection: warehose",
        "connection: warehose", "targets.warehouse.connection names warehose, which is not in tenant.yaml",
    ),
    Mistake(
        "source of another kind", WAREHOUSE, "source: healthie", "source: desk",
        "source: desk", "source names desk, which is csv; name one that is healthie",
    ),
    Mistake(
        "no such field", FIELDS, "last_name, email, phone_number", "last_name, e_mail, email, phone_number",
        "e_mail, email", "S4[2] is e_mail, which the source does not have; write email",
    ),
    Mistake(
        "field of no sentence", FIELDS, "S5: [", "S6: [",
        "S6: [", "S6 is no sentence of the instructions; there are: S1",
    ),
    Mistake(
        "field that is not read", WAREHOUSE, "from: [phone_number]", "from: [dob]",
        "phone: {", "columns.phone.from names dob, which is not read; add it to fields.yaml",
    ),
    Mistake(
        "category not approved", WAREHOUSE, "[status, identity, contact, schedule]", "[status, identity, schedule]",
        "email: {", "warehouse_upsert_patients.email: email is contact, not approved for warehouse",
    ),
    Mistake(
        "condition that the system does not have", WAREHOUSE, "    categories: [status", "    confirmed: {bba: signed in March}\n    categories: [status",
        "bba: signed", "targets.warehouse.confirmed.bba is no condition of sql; remove it; there are: none",
    ),
    Mistake(
        "nothing that moves money", WAREHOUSE, "ask_first: []", "ask_first: [creates, money]", "ask_first:",
        "limits.ask_first[1] is money, and no granted write moves any; remove it",
    ),
    Mistake(
        "no such category", WAREHOUSE, "[status, identity, contact, schedule]", "[status, identity, contact, shedule]",
        "shedule", "targets.warehouse.categories[3]: input should be",
    ),
    Mistake(
        "no such transform", WAREHOUSE, "transforms: [e164]", "transforms: [e162]",
        "phone: {", "warehouse_upsert_patients.phone: no transform e162",
    ),
    Mistake(
        "no such column type", WAREHOUSE, "next_visit: {type: date", "next_visit: {type: day",
        "next_visit: {type: day", "columns.next_visit.type: input should be 'str'",
    ),
    Mistake(
        "bad table name", WAREHOUSE, "- name: patients", "- name: my-patients",
        "- name: my-patients", "(a table's or column's name must be letters, digits and _",
    ),
    Mistake(
        "no such write", "channel/integration.yaml", "      set_metadata:", "      set_metdata:",
        "set_metdata:", "targets.healthie.writes.set_metdata is no write of its target; write set_metadata",
    ),
    Mistake(
        "no such option", "front-desk/integration.yaml", "bom: true", "bomb: true",
        "bomb: true", "targets.desk.options.bomb is not a key that Ferry knows; write bom",
    ),
    Mistake(
        "no such model", "triage/integration.yaml", "by: openai-compatible:clinic-small", "by: clinic-small",
        "by: clinic-small", "models.yaml does not allow; write program, or one of: openai-compatible:clinic-small",
    ),
    Mistake(
        "a model nobody allowed", "triage/integration.yaml", "clinic-small", "clinic-large", "by: openai",
        "decide.by is openai-compatible:clinic-large, which",
    ),
    Mistake(
        "identifiers revealed", "triage/integration.yaml", "reveal: [status, schedule]",
        "reveal: [status, identity]", "decide:",
        "decide: reveal names identity, which holds identifiers; remove it, or write privacy: shown",
    ),
    Mistake(
        "no such batches", "triage/integration.yaml", "  # batch: {}", "  batch: {}  #", "batch: {}",
        "decide.batch is set, and the model has no price for batches",
    ),
    Mistake(
        "not a duration", WAREHOUSE, "sweep_every: P7D", "sweep_every: weekly",
        "sweep_every: weekly", "sweep_every: input should be a valid timedelta",
    ),
    # instructions.md and program.py
    Mistake(
        "gap in the sentences", INSTRUCTIONS, "S4. The name", "S5. The name",
        "S5. The name", "S5 where S4 was expected; number from S1 without gaps",
    ),
    Mistake(
        "a judge that is no model", WAREHOUSE, "  by: program", "  by: program\n  judge: ana",
        "judge: ana", "decide.judge is ana, which ",
    ),
    Mistake(
        "a judge that is reached by nothing", WAREHOUSE, "  by: program", "  by: program\n  judge: openai-compatible:x",
        "decide:", "decide has no connection; name the one that the model is reached by",
    ),
    Mistake(
        "batches of a program", WAREHOUSE, "  by: program", "  by: program\n  batch: {}",
        "batch: {}", "decide.batch has nothing to do: a program decides; remove it",
    ),
    Mistake(
        "a judge beside a model", WAREHOUSE, "  by: program", "  by: google-cloud:x\n  judge: google-cloud:x",
        "judge: google", "decide.judge has nothing to do: a model decides; remove it",
    ),
    Mistake(
        "judging what a sentence settles", PROGRAM, 'status="active"', 'status=judge("S2", "Is it?", ["yes", "no"], {})',
        "judge(", "judge: the sentence is none that asks for judgement; write its number, and there `S5. Judgement: …`",
    ),
    Mistake(
        "type error", PROGRAM, 'status="active"', 'status=1.5',
        "status=1.5", "Expected `str | None`, found `float",
    ),
    Mistake(
        "not Python", PROGRAM, "def phone(text):", "def phone(text:",
        "def phone(text:", "is not Python; correct it there",
    ),
    Mistake(
        "cites no sentence", PROGRAM, 'because=["S1", "S2"]', 'because=["S1", "S9"]',
        '"S9"', "cites S9, which instructions.md does not have",
    ),
    Mistake(
        "field that the program may not read", PROGRAM, 'entry["last_name"]:', 'entry["dob"]:',
        'entry["dob"]', "dob",
    ),
    Mistake(
        "what is known beforehand", PROGRAM, "def decide(entry, today):", "def decide(entry, today, known):",
        "def decide(", "takes known, and nothing is looked up beforehand; write it as def decide(entry, today):",
    ),
    Mistake(
        "a branch beside the live version", WAREHOUSE, "\nlimits:", "\nshadow: {version: trial}\nlimits:",
        "shadow:", "shadow.version is trial, and no folder with a version's files stands there; name such a folder",
    ),
]  # fmt: skip
