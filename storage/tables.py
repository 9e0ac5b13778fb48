"""Every table, imported once, so that the metadata is whole."""

from storage import (
    accounts,
    alarms,
    audit,
    catchup,
    consent,
    conversations,
    customers,
    desks,
    doors,
    grants,
    inbox,
    jobs,
    keys,
    loyalty,
    media,
    notices,
    orders,
    outbox,
    personas,
    replies,
    staff,
    tags,
    templates,
    tickets,
    transcripts,
)

NOUNS = (
    accounts, alarms, audit, catchup, consent, conversations, customers, desks, doors, grants, inbox, jobs, keys,
    loyalty, media, notices, orders, outbox, personas, replies, staff, tags, templates, tickets, transcripts,
)  # fmt: skip
