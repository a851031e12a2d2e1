import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import type { SyncError } from '../../src/client/inbox/sync-error.ts';
import { defineSchema, type FieldValue, type Schema } from '../../src/schema.ts';
import type { OnlineChange, SyncServer } from '../../src/server/index.ts';
import { allRecordsOn, allRecordsOnline } from '../support/all-records.ts';
import { groupBy, readAll, SchemaFromData, valuesOf, type DataEdit } from '../support/real-data.ts';
import { createWorld, type TestDevice } from '../support/world.ts';
import { resolveEvery, type Resolved } from './resolve-every.ts';

/** What one of two devices did in a case. */
export interface CaseEdit extends DataEdit {
  readonly merge: string;
  readonly side: 'ours' | 'theirs';
}

/** What `data/tools/devices.mjs` counts, as far as devices can tell. */
export interface CaseCounts {
  cases: number;
  uploads: number;
  accepted: number;
  syncErrors: number;
  casesWithSyncError: number;
  /** Sync errors by cause, in the tool's words. */
  err: Record<string, number>;
}

/** What playing every case came to. */
export interface PlayedCases {
  readonly counts: CaseCounts;
  /** Uploads that never went up while their case's sync errors stood: they waited behind a refused one of the same record. */
  readonly held: number;
  /** The tool's hash of the list of sync errors. */
  readonly errorListSha256: string;
  /** How the sync errors were resolved. */
  readonly resolved: Resolved;
}

/**
 * Plays every two-device case of a data set: counts sync errors, resolves every one of them, and expects both devices and the server to
 * agree afterwards.
 */
export async function playCases(folder: string): Promise<PlayedCases> {
  const edits = await readAll<CaseEdit>(join(folder, 'devices.ndjson.gz'));
  const schema = schemaOf(edits);
  const counts: CaseCounts = { cases: 0, uploads: 0, accepted: 0, syncErrors: 0, casesWithSyncError: 0, err: {} };
  const resolved = { undone: 0, kept: 0, recreated: 0, followed: 0 };
  const hash = createHash('sha256');
  let held = 0;
  for (const [merge, sides] of [...groupBy(edits, ({ merge }) => merge)].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const bySide = groupBy(sides, ({ side }) => side);
    const [ours, theirs] = [bySide.get('ours')!, bySide.get('theirs')!];
    const [first, second] = ours[0]!.ts <= theirs[0]!.ts ? [ours, theirs] : [theirs, ours];
    const outcome = await playCase(schema, first, second);
    counts.cases++;
    counts.uploads += sides.length;
    counts.accepted += sides.length - outcome.refused.length - outcome.held;
    counts.syncErrors += outcome.refused.length;
    counts.casesWithSyncError += Number(outcome.refused.length > 0);
    held += outcome.held;
    for (const { object, recordId, class: reason } of outcome.refused) {
      const words = REASONS[reason] ?? reason;
      counts.err[words] = (counts.err[words] ?? 0) + 1;
      hash.update(`${merge}${object}/${recordId}\n`);
    }
    for (const what of ['undone', 'kept', 'recreated', 'followed'] as const) resolved[what] += outcome.resolved[what];
  }
  return { counts, held, errorListSha256: hash.digest('hex').slice(0, 16), resolved };
}

interface CaseOutcome {
  readonly refused: readonly SyncError[];
  readonly held: number;
  readonly resolved: Resolved;
}

/** Two devices go offline at the same base; the one whose side is older uploads first. Then the other resolves what was refused. */
async function playCase(schema: Schema, first: readonly CaseEdit[], second: readonly CaseEdit[]): Promise<CaseOutcome> {
  const world = createWorld(schema);
  try {
    const [one, two] = [await world.device('u'), await world.device('u')];
    const base = baseOf([...first, ...second]);
    const born = bornOn(first);
    // A record that the first device makes, and that the second has all the same: it was there once, and was deleted online.
    const deletedSince = base.filter(({ object, id }) => born.has(`${object}/${id}`));
    await seed(world.server, base);
    await two.engine.download();
    await seed(world.server, deletedSince.map(({ object, id }) => ({ op: 'remove', object, id })));
    await one.engine.download();
    for (const { engine } of [one, two]) await engine.setLifecycle({ isOnline: false });
    await saveAll(one.engine, first);
    const saves = await saveAll(two.engine, second);
    await one.engine.setLifecycle({ isOnline: true });
    expect(await one.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    await two.engine.setLifecycle({ isOnline: true });
    const { pending } = await two.engine.exchange();
    const refused = await two.engine.listSyncErrors();
    const resolved = await resolveEvery(schema, world.server, two, saves);
    await expectAgreement(schema, world.server, [two, one]);
    return { refused, held: pending, resolved };
  } finally {
    await world.close();
  }
}

async function expectAgreement(schema: Schema, server: SyncServer, devices: readonly TestDevice[]): Promise<void> {
  for (const { engine } of devices) expect(await engine.exchange()).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0 });
  const online = await allRecordsOnline(server, schema);
  for (const { engine } of devices) expect(await allRecordsOn(engine, schema)).toEqual(online);
}

function schemaOf(edits: readonly CaseEdit[]): Schema {
  const collected = new SchemaFromData();
  for (const { object, master, fields } of edits) collected.add(object, master, Object.entries(fields).flatMap(([name, [previous, next]]) => [[name, previous], [name, next]] as const));
  return defineSchema({ version: 1, objects: collected.objects('lookup') });
}

async function seed(server: SyncServer, changes: readonly OnlineChange[]): Promise<void> {
  for (let from = 0; from < changes.length; from += 1_000) {
    const outcome = await server.online.save(changes.slice(from, from + 1_000));
    if (outcome.kind !== 'saved') throw new Error(`the base of a case was not taken: ${JSON.stringify(outcome)}`);
  }
}

function bornOn(edits: readonly CaseEdit[]): Set<string> {
  return new Set(edits.filter(({ op }) => op === 'create').map(({ object, id }) => `${object}/${id}`));
}

const REASONS: Readonly<Record<string, string>> = {
  conflict: 'field changed by the other device',
  'edit-vs-delete': 'edit of a deleted record',
  'delete-vs-edit': 'delete of a changed record',
  'duplicate-key': 'create of an existing record with other values',
};

type BaseRecord = Extract<OnlineChange, { op: 'create' }> & { readonly id: string };

/** The records as both sides found them: whatever their first edits say was there before. */
function baseOf(edits: readonly CaseEdit[]): BaseRecord[] {
  const values = new Map<string, { object: string; id: string; values: Record<string, FieldValue> }>();
  const born = new Set<string>();
  const seen = new Set<string>();
  for (const edit of edits) {
    const key = `${edit.object}/${edit.id}`;
    const bySide = `${edit.side}/${key}`;
    if (edit.op === 'create') born.add(bySide);
    if (edit.op === 'create' || born.has(bySide)) continue;
    const record = values.get(key) ?? { object: edit.object, id: edit.id, values: valuesOf({ fields: {}, ...(edit.master === undefined ? {} : { master: edit.master }) }) };
    for (const [name, [previous]] of Object.entries(edit.fields)) if (!seen.has(`${bySide}.${name}`)) record.values[name] = previous;
    for (const name of Object.keys(edit.fields)) seen.add(`${bySide}.${name}`);
    values.set(key, record);
  }
  return [...values.values()].map((record) => ({ op: 'create' as const, ...record }));
}

/** Saves one by one; answers what each queue entry was made of. */
async function saveAll(engine: SyncEngine, edits: readonly CaseEdit[]): Promise<Map<number, CaseEdit[]>> {
  const saves = new Map<number, CaseEdit[]>();
  for (const edit of edits) {
    const { entry } = await save(engine, edit);
    if (entry !== null) saves.set(entry, [...(saves.get(entry) ?? []), edit]);
  }
  return saves;
}

function save(engine: SyncEngine, { object, id, op, master, fields }: CaseEdit) {
  const next = Object.fromEntries(Object.entries(fields).map(([name, [, value]]) => [name, value]));
  if (op === 'delete') return engine.remove(object, id);
  if (op === 'update') return engine.update(object, id, next);
  return engine.create(object, valuesOf({ fields: next, ...(master === undefined ? {} : { master }) }), id);
}
