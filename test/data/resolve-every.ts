import { expect } from 'vitest';
import type { JournalEntry } from '../../src/client/queue/journal.ts';
import type { Resolution, ResolutionOutcome, SyncError } from '../../src/client/inbox/sync-error.ts';
import type { FieldValue, Schema } from '../../src/schema.ts';
import type { SyncServer } from '../../src/server/index.ts';
import { allRecords } from '../support/all-records.ts';
import { valuesOf, type DataEdit } from '../support/real-data.ts';
import type { TestDevice } from '../support/world.ts';

/** How many sync errors of a case became what. */
export interface Resolved {
  readonly undone: number;
  readonly kept: number;
  readonly recreated: number;
  /** Of all these, raised only by what was resolved before: a child of a record that was created anew, and whose own id is taken too. */
  readonly followed: number;
}

/** Ids at birth of records that were created anew, by the ids that they had before. */
type NewIds = Map<string, string>;

/** Resolves every sync error in bulk, until there is none. */
export async function resolveEvery(schema: Schema, server: SyncServer, device: TestDevice, saves: ReadonlyMap<number, readonly DataEdit[]>): Promise<Resolved> {
  const newIds: NewIds = new Map();
  const total = { undone: 0, kept: 0, recreated: 0, followed: 0 };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { undone, kept, recreated } = await resolveRound({ schema, server, device, saves, newIds });
    total.undone += undone.length;
    total.kept += kept.length;
    total.recreated += recreated.length;
    if (round > 0) total.followed += undone.length + kept.length + recreated.length;
    if ((await device.engine.status()).syncErrors === 0) break;
  }
  return total;
}

/** What is held behind a refused change may be refused in turn; this data is two levels deep. */
const MOST_ROUNDS = 3;

interface Round {
  readonly schema: Schema;
  readonly server: SyncServer;
  readonly device: TestDevice;
  readonly saves: ReadonlyMap<number, readonly DataEdit[]>;
  readonly newIds: NewIds;
}

/**
 * Every other sync error is undone, of the rest the user's side is kept: over what is online, or as a new record where the record is gone
 * or somebody else's. Expects the server to have what was kept and nothing of what was undone, which the journal has.
 */
async function resolveRound({ schema, server, device, saves, newIds }: Round) {
  const { engine } = device;
  const errors = await engine.listSyncErrors();
  const rest = errors.filter((_, index) => index % 2 === 1);
  const kept = rest.filter(({ actions }) => actions.includes('keepMine'));
  const recreated = rest.filter(({ actions }) => !actions.includes('keepMine'));
  const undone = errors.filter((_, index) => index % 2 === 0);
  const before = await onlineOf(server, undone);

  const undo = await resolveAll(device, undone, 'undo');
  const keepMine = await resolveAll(device, kept, 'keepMine');
  const recreate = await resolveAll(device, recreated, 'recreate');
  expect(await engine.exchange()).toMatchObject({ pending: 0 });

  expect(await onlineOf(server, undone)).toEqual(before);
  const takenBack = undo.flatMap((outcome) => ('undone' in outcome ? outcome.undone : []));
  expect(takenBack).toEqual(expect.arrayContaining(undone.map(({ id }) => id)));
  for (const entry of takenBack) expectPayload(await engine.readJournal(entry), saves.get(entry)!, writtenBy(schema, saves.get(entry)!, newIds));
  await expectKept(server, kept, (entry) => writtenBy(schema, saves.get(entry)!, newIds));
  for (const outcome of [...keepMine, ...recreate]) expect(outcome.kind).toBe('resolved');
  const made = recreate.flatMap((outcome) => ('recreated' in outcome ? outcome.recreated : []));
  expect(made).toHaveLength(recreated.length);
  for (const { object, from, to } of made) {
    expect(await server.online.get(object, to)).not.toBeNull();
    newIds.set(from, to);
  }
  return { undone, kept, recreated };
}

async function resolveAll({ engine }: TestDevice, errors: readonly SyncError[], action: Resolution): Promise<readonly ResolutionOutcome[]> {
  const outcomes = await engine.resolveAll(errors.map(({ id }) => id), action);
  expect(outcomes.map(({ syncError }) => syncError)).toEqual(errors.map(({ id }) => id));
  expect(outcomes.filter(({ kind }) => kind !== 'resolved' && kind !== 'gone')).toEqual([]);
  return outcomes;
}

function onlineOf(server: SyncServer, errors: readonly SyncError[]) {
  return Promise.all(errors.map(({ object, recordId }) => server.online.get(object, recordId)));
}

/** Rule C11: what was taken back can be read again. */
function expectPayload(journal: readonly JournalEntry[], edits: readonly DataEdit[], written: Readonly<Record<string, FieldValue>>): void {
  const [first] = edits;
  const op = edits.at(-1)!.op === 'delete' ? 'remove' : first!.op;
  expect(journal).toMatchObject([{ reason: 'undone', members: [{ object: first!.object, id: first!.id, op, mine: written }] }]);
}

async function expectKept(server: SyncServer, kept: readonly SyncError[], writtenBy: (entry: number) => Readonly<Record<string, FieldValue>>): Promise<void> {
  for (const { id, op, object, recordId } of kept) {
    const online = await server.online.get(object, recordId);
    if (op === 'remove') expect(online).toBeNull();
    else expect(online?.values).toMatchObject(writtenBy(id));
  }
}

/** What saves of one record wrote, field by field, in canonical form; nothing of what a delete takes with it. */
function writtenBy(schema: Schema, edits: readonly DataEdit[], newIds: NewIds): Record<string, FieldValue> {
  const [{ object, id }] = edits as readonly [DataEdit];
  const written: Record<string, FieldValue> = {};
  for (const { op, master, fields } of edits) {
    if (op === 'delete') return {};
    const next = Object.fromEntries(Object.entries(fields).map(([name, [, value]]) => [name, value]));
    Object.assign(written, op === 'create' ? valuesOf({ fields: next, ...(master === undefined ? {} : { master }) }) : next);
  }
  // It follows its master to where that was created anew.
  if (typeof written.master === 'string') written.master = newIds.get(written.master) ?? written.master;
  const [values = {}] = allRecords(schema, [{ object, id, values: written }]).values();
  return Object.fromEntries(Object.keys(written).map((name) => [name, values[name] ?? null]));
}
