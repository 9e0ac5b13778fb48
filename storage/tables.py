"""Every table, imported once, so that the metadata is whole."""

from storage import (
    accounts,
    alarms,
    catchup,
    consent,
    conversations,
    customers,
    doors,
    grants,
    inbox,
    jobs,
    keys,
    loyalty,
    media,
    orders,
    outbox,
    personas,
    tags,
    templates,
    tickets,
    transcripts,
)

NOUNS = (
    accounts, alarms, catchup, consent, conversations, customers, doors, grants, inbox, jobs, keys, loyalty, media,
    orders, outbox, personas, tags, templates, tickets, transcripts,
)  # fmt: skip
