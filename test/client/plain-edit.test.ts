import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import { encodeImage, encodeLayout, STATE } from '../../src/client/store/stored.ts';
import { createSyncEngine } from '../../src/client/sync-engine.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { isFault } from '../../src/shared/fault.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { EAGER_PARTS } from '../../src/testing/simulation/eager-parts.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const OWNER = { tenant: '', user: 'ann' };

/** Rows as an older build wrote them: fields in another order, one that is unknown by now, some that are new since. */
const OLD = {
  visit: createLayout('visit', [{ name: 'subject', type: 'text' }, { name: 'mood', type: 'text' }, { name: 'state', type: 'text' }]),
  account: createLayout('account', [{ name: 'city', type: 'text' }, { name: 'name', type: 'text' }, { name: 'phone', type: 'integer' }]),
};

async function filled(): Promise<StorageAdapter> {
  const disk = memory();
  const storage = await disk.open(OWNER);
  const row = (object: keyof typeof OLD, id: string, values: Readonly<Record<string, unknown>>) => ({ object, id, bytes: encodeImage({ layout: OLD[object], version: [1, 1], state: 'live', row: encodeRow(OLD[object], values) }) });
  await storage.commit({
    putRecords: [row('visit', 'open', { subject: 'first', mood: 'good' }), row('visit', 'closed', { state: 'submitted' }), row('account', 'open', { name: 'St. Mary', city: 'Ghent', phone: 5 })],
    putState: Object.values(OLD).map((layout) => ({ key: STATE.layout + layout.hash, bytes: encodeLayout(layout) })),
    durability: 'strict',
  });
  await storage.close();
  return disk;
}

async function open(disk: StorageAdapter): Promise<SyncEngine> {
  const engine = createSyncEngine({
    schema,
    owner: OWNER,
    storage: disk,
    transport: { send: () => Promise.reject(new Error('there is no network')) },
    core: createTwinCore(),
    clock: createManualClock(),
    random: createSeededRandom(1),
    parts: EAGER_PARTS,
    lifecycle: { isOnline: false, isForeground: true },
  });
  await engine.ready;
  await engine.create('memo', { subject: 'a memo' }, 'open');
  return engine;
}

/** Everything that lies on a disk. */
async function dump(disk: StorageAdapter): Promise<unknown> {
  const storage = await disk.open(OWNER);
  const records = await Promise.all(Object.keys(schema.objects).map((object) => storage.scanRecords({ object, limit: Infinity })));
  return { state: await storage.scanState({ prefix: '', limit: Infinity }), records };
}

async function outcomeOf(save: Promise<unknown>): Promise<unknown> {
  try {
    return await save;
  } catch (fault) {
    if (!isFault(fault)) throw fault;
    return { code: fault.code, message: fault.message, details: fault.details };
  }
}

const anyText = fc.constantFrom('', 'a', 'ü', 'x'.repeat(70), 'first', null, undefined);
const anyEdit = fc.oneof(
  fc.record({ object: fc.constant('account'), id: fc.constantFrom('open', 'missing'), values: fc.record({ name: anyText, city: anyText, phone: anyText, serverId: anyText, constructor: anyText }, { requiredKeys: [] }) }),
  fc.record({ object: fc.constant('memo'), id: fc.constant('open'), values: fc.record({ subject: anyText, account: anyText }, { requiredKeys: [] }) }),
  fc.record({
    object: fc.constant('visit'),
    id: fc.constantFrom('open', 'open', 'closed'),
    values: fc.record({ state: fc.constantFrom('submitted', 'planned', null), subject: fc.oneof(anyText, fc.constant(7)), mood: anyText }, { requiredKeys: [] }),
  }),
  fc.constant({ object: 'line', id: 'missing', values: { product: 'gauze' } }),
  fc.constant({ object: 'nothing', id: 'open', values: {} }),
);

describe('an edit of one record outside groups', () => {
  test('A11: comes to the same, byte for byte, as the same edit saved among changes, whatever is refused and from whatever layout it came', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEdit, { minLength: 1, maxLength: 6 }), async (edits) => {
        const disks = [await filled(), await filled()] as const;
        const [plain, among] = [await open(disks[0]), await open(disks[1])];
        for (const { object, id, values } of edits) {
          const saved = await outcomeOf(plain.update(object, id, values));
          const other = await outcomeOf(among.save([{ op: 'update', object, id, values }]).then(({ entry, records }) => ({ ...records[0]!, entry })));
          expect(saved).toEqual(other);
          expect(await outcomeOf(plain.get(object, id))).toEqual(await outcomeOf(among.get(object, id)));
        }
        expect(await plain.status()).toEqual(await among.status());
        await Promise.all([plain.close(), among.close()]);
        expect(await dump(disks[0])).toEqual(await dump(disks[1]));
      }),
    );
  });
});
