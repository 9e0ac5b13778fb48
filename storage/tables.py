"""Every table, imported once, so that the metadata is whole."""

from storage import (
    accounts,
    alarms,
    audit,
    balances,
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
    lots,
    loyalty,
    media,
    members,
    notices,
    orders,
    outbox,
    personas,
    replies,
    reservations,
    staff,
    tags,
    templates,
    tickets,
    transcripts,
)

NOUNS = (
    accounts, alarms, audit, balances, catchup, consent, conversations, customers, desks, doors, grants, inbox,
    jobs, keys, lots, loyalty, media, members, notices, orders, outbox, personas, replies, reservations, staff,
    tags, templates, tickets, transcripts,
)  # fmt: skip
