import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import { defineSchema, type FieldValue, type Schema } from '../../src/schema.ts';
import type { OnlineChange, SyncServer } from '../../src/server/index.ts';
import { findRealData, readAll, SchemaFromData, valuesOf, type DataEdit } from '../support/real-data.ts';
import { createWorld } from '../support/world.ts';

interface CaseEdit extends DataEdit {
  readonly merge: string;
  readonly side: 'ours' | 'theirs';
}

/** What `data/tools/devices.mjs` prints for this set. */
const REFERENCE = {
  cases: 483,
  uploads: 69_789,
  accepted: 69_288,
  syncErrors: 501,
  casesWithSyncError: 21,
  err: {
    'create of an existing record with other values': 133,
    'delete of a changed record': 98,
    'field changed by the other device': 149,
    'edit of a deleted record': 121,
  } as Record<string, number>,
  errorListSha256: '7550c4a107ca5902',
};

/** Uploads that the reference counts as accepted, and that here never go up: they wait behind a refused one of the same record. */
const HELD = 1;

const folder = findRealData('openstates');
if (folder === null) console.warn('skipped: the data set openstates is not beside the project');

describe('openstates, every two-device case', () => {
  test.skipIf(folder === null)('A19: counts and error list are those of the reference, but for uploads held behind a refused one', { timeout: 600_000 }, async () => {
    const startedAt = performance.now();
    const edits = await readAll<CaseEdit>(join(folder!, 'devices.ndjson.gz'));
    const schema = schemaOf(edits);
    const cases = new Map<string, { ours: CaseEdit[]; theirs: CaseEdit[] }>();
    for (const edit of edits) {
      const sides = cases.get(edit.merge) ?? { ours: [], theirs: [] };
      cases.set(edit.merge, sides);
      sides[edit.side].push(edit);
    }
    const total = { cases: 0, uploads: 0, accepted: 0, syncErrors: 0, casesWithSyncError: 0, err: {} as Record<string, number> };
    const hash = createHash('sha256');
    let held = 0;
    for (const [merge, { ours, theirs }] of [...cases].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const [first, second] = ours[0]!.ts <= theirs[0]!.ts ? [ours, theirs] : [theirs, ours];
      const outcome = await playCase(schema, first, second);
      total.cases++;
      total.uploads += first.length + second.length;
      total.accepted += outcome.accepted;
      total.syncErrors += outcome.refused.length;
      total.casesWithSyncError += Number(outcome.refused.length > 0);
      held += outcome.held;
      for (const { key, reason } of outcome.refused) {
        total.err[reason] = (total.err[reason] ?? 0) + 1;
        hash.update(`${merge}${key}\n`);
      }
    }
    console.log(`openstates: ${total.uploads} uploads of ${total.cases} cases in ${Math.round((performance.now() - startedAt) / 1000)} s, ${held} held`);
    const { errorListSha256, ...counts } = REFERENCE;
    expect({ ...total, held }).toEqual({ ...counts, accepted: counts.accepted - HELD, held: HELD });
    expect(hash.digest('hex').slice(0, 16)).toBe(errorListSha256);
  });
});

function schemaOf(edits: readonly CaseEdit[]): Schema {
  const collected = new SchemaFromData();
  for (const { object, master, fields } of edits) collected.add(object, master, Object.entries(fields).flatMap(([name, [previous, next]]) => [[name, previous], [name, next]] as const));
  return defineSchema({ version: 1, objects: collected.objects('lookup') });
}

interface CaseOutcome {
  readonly accepted: number;
  readonly held: number;
  readonly refused: readonly { readonly key: string; readonly reason: string }[];
}

/** Two devices go offline at the same base; the one whose side is older uploads first. */
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
    await saveAll(two.engine, second);
    await one.engine.setLifecycle({ isOnline: true });
    expect(await one.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    await two.engine.setLifecycle({ isOnline: true });
    const { pending } = await two.engine.exchange();
    const errors = await two.engine.listSyncErrors();
    return {
      accepted: first.length + second.length - errors.length - pending,
      held: pending,
      refused: errors.map(({ object, recordId, class: reason }) => ({ key: `${object}/${recordId}`, reason: REASONS[reason] ?? reason })),
    };
  } finally {
    await world.close();
  }
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

async function saveAll(engine: SyncEngine, edits: readonly CaseEdit[]): Promise<void> {
  for (const { object, id, op, master, fields } of edits) {
    const next = Object.fromEntries(Object.entries(fields).map(([name, [, value]]) => [name, value]));
    if (op === 'delete') await engine.remove(object, id);
    else if (op === 'create') await engine.create(object, valuesOf({ fields: next, ...(master === undefined ? {} : { master }) }), id);
    else await engine.update(object, id, next);
  }
}
