/**
 * The tables, in SQL that any Postgres takes and that can be distributed by tenant: the tenant is first in every key, and there are no
 * sequences, triggers, foreign keys or advisory locks. Texts compare by their bytes.
 */
export const CREATE_TABLES: readonly string[] = [
  `create table if not exists fieldtide_setting (
    tenant text collate "C" not null,
    key text collate "C" not null,
    value bigint not null,
    primary key (tenant, key)
  )`,
  `create table if not exists fieldtide_record (
    tenant text collate "C" not null,
    object text collate "C" not null,
    id text collate "C" not null,
    epoch bigint not null,
    n bigint not null,
    is_deleted boolean not null,
    layout text collate "C" not null,
    row_bytes bytea not null,
    data jsonb not null,
    parent_id text collate "C",
    record_id text collate "C",
    primary key (tenant, object, id)
  )`,
  'create index if not exists fieldtide_record_parent on fieldtide_record (tenant, object, parent_id, id) where parent_id is not null',
  'create index if not exists fieldtide_record_record_id on fieldtide_record (tenant, object, record_id) where record_id is not null',
  `create table if not exists fieldtide_layout (
    tenant text collate "C" not null,
    hash text collate "C" not null,
    content jsonb not null,
    primary key (tenant, hash)
  )`,
  `create table if not exists fieldtide_feed (
    tenant text collate "C" not null,
    user_id text collate "C" not null,
    feed text not null,
    head bigint not null,
    floor bigint not null,
    primary key (tenant, user_id)
  )`,
  `create table if not exists fieldtide_feed_row (
    tenant text collate "C" not null,
    user_id text collate "C" not null,
    position bigint not null,
    created_at bigint not null,
    store text not null,
    number bigint not null,
    records jsonb not null,
    primary key (tenant, user_id, position)
  )`,
  'create index if not exists fieldtide_feed_row_age on fieldtide_feed_row (tenant, created_at)',
  `create table if not exists fieldtide_receipt (
    tenant text collate "C" not null,
    user_id text collate "C" not null,
    store text collate "C" not null,
    number bigint not null,
    hash text not null,
    created_at bigint not null,
    result bytea not null,
    primary key (tenant, user_id, store, number)
  )`,
  'create index if not exists fieldtide_receipt_age on fieldtide_receipt (tenant, created_at)',
  `create table if not exists fieldtide_device (
    tenant text collate "C" not null,
    store text collate "C" not null,
    user_id text collate "C" not null,
    primary key (tenant, store)
  )`,
  `create table if not exists fieldtide_fact (
    tenant text collate "C" not null,
    kind text collate "C" not null,
    key text collate "C" not null,
    user_id text collate "C" not null,
    created_at bigint not null,
    body bytea not null,
    primary key (tenant, kind, key)
  )`,
  'create index if not exists fieldtide_fact_age on fieldtide_fact (tenant, kind, created_at, key)',
  'create index if not exists fieldtide_fact_user on fieldtide_fact (tenant, kind, user_id, created_at, key)',
  `create table if not exists fieldtide_counter (
    tenant text collate "C" not null,
    object text collate "C" not null,
    field text collate "C" not null,
    value bigint not null,
    primary key (tenant, object, field)
  )`,
];
