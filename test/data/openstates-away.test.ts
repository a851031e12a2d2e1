import { describe, expect, test } from 'vitest';
import type { Schema } from '../../src/schema.ts';
import { findRealData, nextValuesOf, valuesOf, type DataEdit, type DataRecord } from '../support/real-data.ts';
import { createWorld, goOnline, type Intercept, type TestDevice, type World } from '../support/world.ts';
import { canonicalRowsOn, canonicalRowsOnline, differences, NONE } from './canonical-rows.ts';
import { familiesOf, Masters, readEditLog, type EditLog, type Transaction } from './edit-log.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 30;
/** Of a feed that is kept for seven. */
const GAP_FROM_DAYS = 8;

/** Families that nobody edits in this month; some of the pending queue is about them. */
const QUIET = 40;

/** Of all families one in so many takes part. */
const ONE_IN = 5;

const folder = findRealData('openstates');
if (folder === null) console.warn('skipped: the data set openstates is not beside the project');
let reading: Promise<Month> | null = null;

describe('openstates, a device that was away', () => {
  test.skipIf(folder === null).each([1, 6, 8, 30])('A31, A39: for %i days: a gap is flagged from eight days on, a download closes it, what waits is left as it is, and all agree in the end', { timeout: 300_000 }, async (days) => {
    const { log, transactions, base, startedAt } = await (reading ??= readMonth(folder!));
    const world = createWorld(log.schema);
    try {
      await seed(world, base);
      const [away, desk] = [await world.device('u'), await world.device('u')];
      for (const { engine } of [away, desk]) await engine.download();
      await away.engine.setLifecycle({ isOnline: false });
      const played = transactions.filter(({ edits }) => Date.parse(edits[0]!.ts) - startedAt < days * DAY_MS);
      const touched = await saveWhileAway(away, base, played);
      const waiting = await whatWaits(away, touched);
      expect(waiting.entries.length).toBeGreaterThan(20);

      await playMonth(world, desk, base, played, { startedAt, days });
      away.intercept(NO_UPLOADS);
      const hasGap = days >= GAP_FROM_DAYS;
      expect(await goOnline(away)).toMatchObject({ hasFeedGap: hasGap, pending: waiting.entries.length });
      const online = await canonicalRowsOnline(world.server, log.schema);
      const isInTheWay = inFamiliesOf([...base, ...played.flatMap(({ edits }) => edits)], touched);
      const behind = differences(await canonicalRowsOn(away.engine, log.schema), online);
      if (hasGap) {
        expect(Object.values(behind).flat().filter((name) => !isInTheWay(name))).not.toEqual([]);
        await away.engine.download();
      }
      expect((await away.engine.status()).hasFeedGap).toBe(false);
      const left = differences(await canonicalRowsOn(away.engine, log.schema), online);
      expect(Object.values(left).flat().filter((name) => !isInTheWay(name))).toEqual([]);
      expect(await whatWaits(away, touched)).toEqual(waiting);

      away.intercept(null);
      expect(await goOnline(away)).toMatchObject({ pending: 0 });
      // Where both edited the same field, the server tells.
      expect((await away.engine.resolveAll('all', 'undo')).length).toBeGreaterThan(0);
      for (const device of [away, desk, away]) expect(await goOnline(device)).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0, hasFeedGap: false, parked: 0 });
      const end = await canonicalRowsOnline(world.server, log.schema);
      for (const { engine } of [away, desk]) expect(differences(await canonicalRowsOn(engine, log.schema), end)).toEqual(NONE);
    } finally {
      await world.close();
    }
  });
});

const NO_UPLOADS: Intercept = (request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request));

interface Month {
  readonly log: EditLog;
  readonly transactions: readonly Transaction[];
  /** The families that the month's edits touch, and some quiet ones. */
  readonly base: readonly DataRecord[];
  readonly startedAt: number;
}

/** The first month of the log, with the part of the data that it is about. */
async function readMonth(from: string): Promise<Month> {
  const log = await readEditLog(from, { masterOf: () => 'group', oneIn: ONE_IN });
  const transactions: Transaction[] = [];
  let startedAt = 0;
  for await (const transaction of log.transactions()) {
    const at = Date.parse(transaction.edits[0]!.ts);
    startedAt ||= at;
    if (at - startedAt >= MOST_DAYS * DAY_MS) break;
    transactions.push(transaction);
  }
  const families = new Set(transactions.flatMap(({ edits }) => edits.map(({ object, id, master }) => master ?? `${object}/${id}`)));
  const familyOf = ({ object, id, master }: DataRecord): string => master ?? `${object}/${id}`;
  const quiet = new Set(log.first.filter((record) => record.object === 'office' && !families.has(familyOf(record))).slice(0, QUIET).map(familyOf));
  return { log, transactions, startedAt, base: log.first.filter((record) => families.has(familyOf(record)) || quiet.has(familyOf(record))) };
}

async function seed({ server }: World<Schema>, base: readonly DataRecord[]): Promise<void> {
  for (let from = 0; from < base.length; from += 1_000) {
    const page = base.slice(from, from + 1_000);
    expect((await server.online.save(page.map((record) => ({ op: 'create', object: record.object, id: record.id, values: valuesOf(record) })))).kind).toBe('saved');
  }
}

/** Edits of records that nobody else edits, and of some that the other device is about to edit, in the same fields as well. Answers of which. */
async function saveWhileAway({ engine }: TestDevice, base: readonly DataRecord[], played: readonly Transaction[]): Promise<Set<string>> {
  const touched = new Set<string>();
  const edited = new Map(played.flatMap(({ edits }) => edits).map((edit) => [`${edit.object}/${edit.id}`, edit] as const));
  const families = new Set([...edited.values()].map(({ object, id, master }) => master ?? `${object}/${id}`));
  const quiet = base.filter(({ object, id, master }) => !families.has(master ?? `${object}/${id}`));
  const offices = quiet.filter(({ object }) => object === 'office').slice(0, 20);
  for (const [index, { object, id, master }] of offices.entries()) {
    touched.add(`${object}/${id}`);
    if (index % 3 === 0) await engine.update(object, id, { voice: `000-${index}` });
    else if (index % 3 === 1) await engine.remove(object, id);
    else {
      await engine.create(object, { master: master!.slice('person/'.length), name: 'Made on the way' }, `${id}:away`);
      touched.add(`${object}/${id}:away`);
    }
  }
  const known = new Set(base.map(({ object, id }) => `${object}/${id}`));
  const updates = [...edited].filter(([key, { op, fields }]) => op === 'update' && known.has(key) && Object.values(fields).some(([, next]) => typeof next === 'string'));
  for (const [key, { object, id, fields }] of updates.filter((_, index) => index % Math.ceil(updates.length / 12) === 0)) {
    touched.add(key);
    const [field] = Object.entries(fields).find(([, [, next]]) => typeof next === 'string')!;
    await engine.update(object, id, { [field]: 'Of the device that was away' });
  }
  return touched;
}

/** The other device saves what the log has, each transaction at its time; nobody polls meanwhile. */
async function playMonth({ clock }: World<Schema>, desk: TestDevice, base: readonly DataRecord[], played: readonly Transaction[], { startedAt, days }: { readonly startedAt: number; readonly days: number }): Promise<void> {
  const masters = new Masters(base);
  const began = clock.now();
  const advanceTo = async (afterMs: number): Promise<void> => {
    await desk.engine.setLifecycle({ isForeground: false });
    await clock.advance(Math.max(0, began + afterMs - clock.now()));
    await desk.engine.setLifecycle({ isForeground: true });
  };
  for (const { edits } of played) {
    await advanceTo(Date.parse(edits[0]!.ts) - startedAt);
    for (const family of familiesOf(edits, masters.before, () => 'group')) {
      await desk.engine.save(family.map((edit: DataEdit) => ({ op: edit.op === 'delete' ? 'remove' : edit.op, object: edit.object, id: edit.id, values: nextValuesOf(edit) })));
    }
    masters.take(edits);
    expect(await desk.engine.exchange()).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0 });
  }
  await advanceTo(days * DAY_MS);
}

/** The queue and what the user sees of it, but for whether it was tried to be sent. */
async function whatWaits({ engine }: TestDevice, names: ReadonlySet<string>) {
  const records = await Promise.all([...names].map((name) => engine.get(name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1))));
  return { entries: (await engine.exportEntries('all')).map((entry) => ({ ...entry, state: null })), records: records.map((record) => record?.values ?? null) };
}

/** Says whether a record is of a family of which something waits: of such a one nothing is merged. */
function inFamiliesOf(known: readonly Pick<DataRecord, 'object' | 'id' | 'master'>[], touched: ReadonlySet<string>): (name: string) => boolean {
  const masters = new Map(known.map(({ object, id, master }) => [`${object}/${id}`, master ?? `${object}/${id}`]));
  const busy = new Set([...touched].map((name) => masters.get(name) ?? name));
  return (name) => touched.has(name) || busy.has(masters.get(name) ?? name);
}
