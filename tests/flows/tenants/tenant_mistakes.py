"""Mistakes that people make in tenant.yaml and prefect.yaml."""

# ruff: noqa: E501  # a table reads better in long lines

from tests.flows.tenants.mistake import PREFECT, TENANT, Mistake

OF_A_TENANT = [
    # tenant.yaml
    Mistake(
        "unknown key", TENANT, "\nconnections:\n", "\ncolour: red\nconnections:\n",
        "colour: red", "colour is not a key that Ferry knows; remove it",
    ),
    Mistake(
        "no such time zone", TENANT, "timezone: America/Chicago\n\n", "timezone: Mars/Phobos\n\n",
        "Mars/Phobos", "timezone: 'Mars/Phobos' is no IANA time zone",
    ),
    Mistake(
        "no time zone", TENANT, "timezone: America/Chicago\n\n", "timezone:\n\n",
        "timezone:\n".strip(), "timezone is missing; write the practice's",
    ),
    Mistake(
        "unknown connector", TENANT, "connector: csv", "connector: cvs",
        "connector: cvs", "connections.desk.connector: input should be 'healthie'",
    ),
    Mistake(
        "unknown setting", TENANT, "      timezone: America/Chicago", "      time_zone: America/Chicago",
        "      time_zone:", "connections.healthie.settings.time_zone is no setting of healthie; remove it; there are",
    ),
    Mistake(
        "setting that is not valid", TENANT, "request_timeout: \"60\"", "request_timeout: \"soon\"",
        "request_timeout: \"soon\"", "connections.model.settings.request_timeout: Input should be a valid number",
    ),
    Mistake(
        "address without TLS", TENANT, "https://api.gethealthie", "http://api.gethealthie",
        "url: http:", "connections.healthie.settings.url: the url must be https",
    ),
    Mistake(
        "setting is missing", TENANT, "settings: {folder: /srv/ferry/example/desk}", "settings: {}",
        "settings: {}", "connections.desk.settings.folder is missing",
    ),
    Mistake(
        "secret in clear", TENANT, "url: \"secret-manager:example-warehouse\"", "url: \"postgresql://a:b@h/d\"",
        "postgresql://a:b", "connections.warehouse.settings.url is a secret written in clear; remove it",
    ),
    Mistake(
        "key twice", TENANT, "  desk:\n", "  desk: {connector: csv, settings: {folder: /tmp}}\n  desk:  # again\n",
        "  desk:  # again", "connections.desk is already at line",  # the second of them
    ),
    Mistake(
        "not YAML", TENANT, "    connector: healthie", "    connector: [healthie",
        "    settings:", "is not YAML; look at the indentation and quotes there",
    ),
    # prefect.yaml
    Mistake(
        "misspelled key", PREFECT, "    work_pool: *pool", "    workpool: *pool",
        "    workpool:", "deployments[0].workpool is not a key that Ferry knows; write work_pool",
    ),
    Mistake(
        "missing key", PREFECT, "    work_pool: *pool", "    # none",
        "- name: example-warehouse", "deployments[0].work_pool is missing",
    ),
    Mistake(
        "another flow", PREFECT, "entrypoint: flows/sync.py:sync  #", "entrypoint: flows/sync.py:snyc  #",
        "flows/sync.py:snyc", "deployments[0].entrypoint: input should be 'flows/sync.py:sync'",
    ),
    Mistake(
        "another name", PREFECT, "name: example-channel", "name: example_channel",
        "name: example_channel", "deployments[2].name is example_channel; write example-channel",
    ),
    Mistake(
        "a staged deployment with the live one's name", PREFECT,
        "integration: {tenant: example, integration: channel}", "integration: {tenant: example, integration: channel, mode: staging}",
        "name: example-channel", "deployments[2].name is example-channel; write example-channel-staging",
    ),
    Mistake(
        "unknown mode", PREFECT,
        "integration: {tenant: example, integration: channel}", "integration: {tenant: example, integration: channel, mode: test}",
        "mode: test", "deployments[2].parameters.integration.mode: input should be 'live'",
    ),
    Mistake(
        "another tenant", PREFECT, "tenant: example  #", "tenant: acme  #",
        "tenant: acme", "deployments[0].parameters.integration.tenant is acme, in example's file; write example",
    ),
    Mistake(
        "unknown kind", PREFECT, "kind: changes  #", "kind: everything  #",
        "kind: everything", "deployments[0].parameters.integration.kind: input should be 'changes'",
    ),
    Mistake(
        "unknown parameter", PREFECT, "        dry_run: false", "        dryrun: false",
        "dryrun: false", "integration.dryrun is not a key that Ferry knows; write dry_run",
    ),
    Mistake(
        "tag of another tenant", PREFECT, '"tenant:example", model]', '"tenant:example", "tenant:acme"]',
        '"tenant:acme"', "deployments[3].tags[2] is tenant:acme, another tenant's",
    ),
    Mistake(
        "tag is missing", PREFECT, '[ferry, "tenant:example", database]', "[ferry, database]",
        "[ferry, database]", "deployments[0].tags lack tenant:example; add it there",
    ),
    Mistake(
        "runs overlap", PREFECT, "limit: 1  #", "limit: 2  #",
        "limit: 2", "deployments[0].concurrency_limit.limit: input should be 1",
    ),
    Mistake(
        "runs wait for each other", PREFECT, "collision_strategy: CANCEL_NEW", "collision_strategy: ENQUEUE",
        "collision_strategy: ENQUEUE", "concurrency_limit.collision_strategy: input should be 'CANCEL_NEW'",
    ),
    Mistake(
        "every minute", PREFECT, 'cron: "15 5 * * *"', 'cron: "* * * * *"',
        'cron: "* * * * *"', "deployments[0].schedules[0].cron",
    ),
    Mistake(
        "monthly", PREFECT, 'cron: "15 5 * * *"', 'cron: "15 5 1 * *"',
        'cron: "15 5 1 * *"', "monthly is not supported",
    ),
    Mistake(
        "another time zone", PREFECT, "        timezone: America/Chicago", "        timezone: America/New_York",
        "timezone: America/New_York", "schedules[0].timezone is America/New_York, not tenant.yaml's",
    ),
    Mistake(
        "two schedules", PREFECT, '    schedules: [{cron: "30 */6 * * *", timezone: America/Chicago}]',
        "    schedules:\n      - {cron: \"30 */6 * * *\", timezone: America/Chicago}\n"
        '      - {cron: "0 6 * * 1", timezone: America/Chicago}',
        '"0 6 * * 1"', "deployments[3].schedules[1] is a second schedule of one integration",
    ),
    Mistake(
        "last week of a daily schedule", PREFECT, 'cron: "0 6 * * 5", timezone', 'cron: "0 6 * * *", timezone',
        "emit: last-week-of-month}", "emit is last-week-of-month, which needs a weekly schedule",
    ),
    Mistake(
        "deployment without a folder", PREFECT,
        "integration: {tenant: example, integration: channel}", "integration: {tenant: example, integration: chanel}",
        "- name: example-channel", "example/chanel has no folder with an integration.yaml",
    ),
    Mistake(
        "integration twice", PREFECT,
        "name: example-channel", "name: example-triage",
        "- name: example-triage", "deployments[2].name is example-triage; write example-channel",
    ),
    Mistake(
        "template", PREFECT, "    name: local", "    name: \"{{ pool }}\"",
        '"{{ pool }}"', "work_pool.name is a template",
    ),
    Mistake(
        "parameters of a schedule", PREFECT, 'cron: "0 6 * * 5", timezone',
        'parameters: {integration: {tenant: acme, integration: warehouse}}, cron: "0 6 * * 5", timezone',
        "tenant: acme, integration", "(schedule: 'parameters' is not understood); take it out",
    ),
    Mistake(
        "secrets in a job's environment", PREFECT, "    name: local", "    job_variables: {env: {KEY: sk-1}}\n    name: local",
        "sk-1", "deployments[0].work_pool.job_variables.env does not belong here, where Prefect keeps all in clear; remove it",
    ),
    Mistake(
        "a secret block in a job's variables", PREFECT, "    name: local",
        '    job_variables: {labels: {a: [b, "{{ prefect.blocks.secret.key }}"]}}\n    name: local',
        "blocks.secret.key", "deployments[0].work_pool.job_variables.labels.a[1] is a template; write the value itself",
    ),
]  # fmt: skip
