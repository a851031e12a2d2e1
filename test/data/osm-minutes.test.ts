import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SyncEvent } from '../../src/client/sync-event.ts';
import { memory } from '../../src/storage/memory.ts';
import type { Random } from '../../src/shared/random.ts';
import { findRealData } from '../support/real-data.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, type TestDevice } from '../support/world.ts';
import { canonicalRows, canonicalRowsOn, differences, NONE, type CanonicalRows } from './canonical-rows.ts';
import { MinuteFeed, nameOf, oldNode, osmSchema, readMinute, type MinuteRecord, type MinuteWay } from './osm-minutes.ts';

const LARGEST_PAGE = 300;

const folder = findRealData('osm');
if (folder === null) console.warn('skipped: the data set osm is not beside the project');

describe('osm, minute feeds cut and shuffled', () => {
  test.skipIf(folder === null).each(['minute-2016-07-19', 'minute-2017-11-10'])('A34, A35, A39: of %s no way is half there, what waits is shown with what it waits for, and a second delivery changes nothing', { timeout: 240_000 }, async (name) => {
    const minute = await readMinute(join(folder!, `${name}.feed.ndjson.gz`));
    const random = createSeededRandom(5);
    const feed = new MinuteFeed(minute);
    const world = createWorld(osmSchema);
    try {
      const disk = memory();
      let device = await world.device('u', { storage: disk });
      device.intercept(feed.intercept);
      // Of each second way that needs nodes from before the minute, one of them never was on this device.
      const needy = minute.ways.filter(({ elsewhere }) => elsewhere.length > 0);
      const absent = new Map(needy.filter((_, index) => index % 2 === 0).map((way) => [way.id, way.elsewhere.at(-1)!]));
      expect(absent.size).toBeGreaterThan(5);
      const old = needy.flatMap(({ id, elsewhere }) => elsewhere.filter((node) => node !== absent.get(id)).map(oldNode));
      feed.add(old);
      expect(await device.engine.exchange()).toMatchObject({ parked: 0, lastFault: null });

      const delivered = new Set<string>();
      const pages = cut(shuffled(minute.records, random), random);
      for (const [index, page] of pages.entries()) {
        feed.add(page);
        for (const record of page) delivered.add(nameOf(record));
        expect(await device.engine.exchange()).toMatchObject({ lastFault: null });
        const expected = expectedRows(minute.records, minute.ways, delivered, absent, old);
        expect(differences(await canonicalRowsOn(device.engine, osmSchema), expected)).toEqual(NONE);
        if (index === Math.floor(pages.length / 2)) device = await reopen(device);
      }

      const parked = minute.ways.filter(({ id }) => absent.has(id));
      expect(await device.engine.status()).toMatchObject({ parked: parked.length, oldestParkedAt: world.clock.now(), pending: 0, syncErrors: 0 });
      for (const { id, members } of parked) {
        const reason = { code: 'newer-version-waits', because: 'incomplete', missing: [{ object: 'node', id: absent.get(id)! }] };
        for (const record of members) expect(await device.engine.explain(record.object, record.id)).toEqual([reason]);
      }

      const before = await canonicalRowsOn(device.engine, osmSchema);
      const events: SyncEvent[] = [];
      const stop = await device.engine.watchEvents((event) => events.push(event));
      for (const page of cut(shuffled(minute.records, random), random)) feed.add(page);
      expect(await device.engine.exchange()).toMatchObject({ parked: parked.length, lastFault: null });
      stop();
      expect(events.filter(({ type }) => type === 'feed:merged')).toEqual([]);
      expect(differences(await canonicalRowsOn(device.engine, osmSchema), before)).toEqual(NONE);

      const [late, never] = [parked.filter((_, index) => index % 2 === 0), parked.filter((_, index) => index % 2 === 1)];
      const found = late.map(({ id }) => oldNode(absent.get(id)!));
      feed.add(found);
      for (const { id } of late) absent.delete(id);
      expect(await device.engine.exchange()).toMatchObject({ parked: never.length, lastFault: null });
      const all = new Set(minute.records.map(nameOf));
      const rest = expectedRows(minute.records, minute.ways, all, absent, [...old, ...found]);
      expect(differences(await canonicalRowsOn(device.engine, osmSchema), rest)).toEqual(NONE);

      // A download is a state of its own: nothing waits for what it does not hold. This server has no record at all.
      await device.engine.download();
      expect(await device.engine.status()).toMatchObject({ parked: 0, oldestParkedAt: null });
      expect([...(await canonicalRowsOn(device.engine, osmSchema)).keys()]).toEqual([]);

      async function reopen(former: TestDevice): Promise<TestDevice> {
        await former.engine.close();
        const again = await world.device('u', { storage: disk });
        again.intercept(feed.intercept);
        return again;
      }
    } finally {
      await world.close();
    }
  });
});

/** What must be seen: a record by itself as soon as it came, those of a way once all of them are here, and nothing of what was deleted. */
function expectedRows(records: readonly MinuteRecord[], ways: readonly MinuteWay[], delivered: ReadonlySet<string>, absent: ReadonlyMap<string, string>, old: readonly MinuteRecord[]): CanonicalRows {
  const waiting = new Set<string>();
  for (const { id, members } of ways) if (absent.has(id) || !members.every((record) => delivered.has(nameOf(record)))) for (const record of members) waiting.add(nameOf(record));
  const here = [...old, ...records.filter((record) => delivered.has(nameOf(record)) && !waiting.has(nameOf(record)))];
  return canonicalRows(osmSchema, here.flatMap(({ object, id, values }) => (values === null ? [] : [{ object, id, values }])));
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  for (let index = left.length - 1; index > 0; index--) {
    const other = Math.floor(random.next() * (index + 1));
    [left[index], left[other]] = [left[other]!, left[index]!];
  }
  return left;
}

function cut<Item>(items: readonly Item[], random: Random): Item[][] {
  const pages: Item[][] = [];
  for (let from = 0; from < items.length; ) {
    const size = 1 + Math.floor(random.next() * LARGEST_PAGE);
    pages.push(items.slice(from, from + size));
    from += size;
  }
  return pages;
}
