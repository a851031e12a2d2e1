import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../../scripts/run-ts.mjs';
import { postgres, type PostgresStore } from '../../src/server/store/postgres.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import { createWorld } from '../server/harness.ts';
import { createMeeting } from '../support/meeting.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';
import { createRacedRecord, judge, START, TENANT, write, type Applied, type RacedSave } from './a21-writers.ts';

/** Notes each value that a record's city had and got, in the order in which the database applied them. */
const NOTE_WHAT_IS_APPLIED = [
  'create table applied (place bigserial, id text, was text, now text)',
  `create function note_applied() returns trigger language plpgsql as $$ begin
    insert into applied (id, was, now) values (new.id, old.data->>'city', new.data->>'city'); return null; end $$`,
  `create trigger note_applied after update on fieldtide_record for each row when (new.object = 'account') execute function note_applied()`,
];

describeOnPostgres('A21: races on a real PostgreSQL', { timeout: 240_000 }, () => {
  let server: TestPostgres;
  let url = '';
  const opened: PostgresStore[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    await open().ready;
    await server.query(url, ...NOTE_WHAT_IS_APPLIED);
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  function open(): PostgresStore {
    const store = postgres({ url, maxConnections: 2 });
    opened.push(store);
    return store;
  }

  async function readApplied(id: string): Promise<Applied[]> {
    const rows = await server.query(url, `select was, now from applied where id = '${id}' order by place`);
    return rows.map(({ was, now }) => ({ was: String(was), is: String(now) }));
  }

  test('A21: of 8 writers with 150 saves of one field each, in three processes, accepted equals applied', async () => {
    const id = 'locked', saves = 150;
    await createRacedRecord(open(), id);
    const children = await Promise.all([startChild([url, id, String(saves), '4', '5']), startChild([url, id, String(saves), '6', '7'])]);
    const own = [0, 1, 2, 3].map((writer) => write(open(), id, writer, saves));
    const done = (await Promise.all([...children.map((finish) => finish()), ...own])).flat();
    const applied = await readApplied(id);
    expect(judge(done, applied)).toEqual([]);
    expect(done).toHaveLength(8 * saves);
    // It was a race: every writer got through, and every writer was refused.
    const count = (outcome: string): number => new Set(done.filter((save) => save.outcome === outcome).map(({ to }) => to.split('.')[0])).size;
    expect([count('saved'), count('refused')]).toEqual([8, 8]);
    const [record] = await open().read(TENANT, (view) => view.getRecords([{ object: 'account', id }]));
    expect(record?.version).toEqual([1, 1 + applied.length]);
  });

  test('A21: the same judge finds lost saves when values are compared without locks', async () => {
    const id = 'unlocked', saves = 40;
    await createRacedRecord(open(), id);
    const done = (await Promise.all(Array.from({ length: 8 }, (_, writer) => write(withoutLocks(open()), id, writer, saves)))).flat();
    expect(judge(done, await readApplied(id))).toContainEqual(expect.stringMatching(/^\S+ was accepted from \S+ and overwrote \S+$/));
  });

  test('A21: of 2 pushes of one field at the same time exactly one wins, 1,000 times', async () => {
    const id = 'pushed';
    const stores = [open(), open()];
    await createRacedRecord(stores[0]!, id);
    const devices = stores.map((store, index) => createWorld({ store, tenant: TENANT }).device(`pusher-${index}`, `pusher-${index}`));
    const wins = [0, 0];
    let current = START;
    for (let round = 1; round <= 1_000; round++) {
      const values = [`a${round}`, `b${round}`];
      const results = await Promise.all(devices.map((device, index) => device.save(round, { update: 'account', id, from: { city: current }, to: { city: values[index] } })));
      const winner = results.findIndex(({ outcome }) => outcome === 'saved');
      expect(results.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'saved']);
      expect(results[1 - winner]).toMatchObject({ class: 'conflict', onlineImage: { values: { city: values[winner] } } });
      wins[winner]! += 1;
      current = values[winner]!;
    }
    expect(Math.min(...wins)).toBeGreaterThan(0); // Either was first now and then: they did run at the same time.
    expect((await readApplied(id)).map(({ is }) => is).at(-1)).toBe(current);
  });

  test('A20: of 2 creates of one id at the same time one is saved and the other is a duplicate key, 200 times', async () => {
    const devices = [0, 1].map((index) => createWorld({ store: open(), tenant: TENANT }).device(`maker-${index}`, `maker-${index}`));
    for (let round = 1; round <= 200; round++) {
      const id = `made-${round}`;
      const results = await Promise.all(devices.map((device, index) => device.save(round, { create: 'account', id, values: { name: 'made', city: `by ${index}` } })));
      const winner = results.findIndex(({ outcome }) => outcome === 'saved');
      expect(results.map(({ outcome }) => outcome).sort()).toEqual(['refused', 'saved']);
      expect(results[1 - winner]).toMatchObject({ class: 'duplicate-key', onlineImage: { version: [1, 1], values: { city: `by ${winner}` } } });
    }
  });

  test('C2: an upload that reaches two servers at the same time is saved once, 200 times', async () => {
    const id = 'twice';
    await createRacedRecord(open(), id);
    let looks = 0;
    // Asked for each entry that is looked at: the copy is answered from the receipt, and looks at nothing.
    const objects = { account: { allow: () => ++looks > 0 } };
    const copies = [0, 1].map(() => createWorld({ store: open(), tenant: TENANT, objects }).device('twin', 'twin-tablet'));
    for (let round = 1; round <= 200; round++) {
      const [from, to] = [round === 1 ? START : `${round - 1}`, `${round}`];
      const results = await Promise.all(copies.map((device) => device.save(round, { update: 'account', id, from: { city: from }, to: { city: to } })));
      expect(results.map(({ outcome, committedImages }) => [outcome, committedImages[0]?.version])).toEqual([['saved', [1, round + 1]], ['saved', [1, round + 1]]]);
    }
    expect(looks).toBe(200);
    expect((await readApplied(id)).map(({ is }) => is)).toEqual(Array.from({ length: 200 }, (_, index) => `${index + 1}`));
  });

  test('A21: entries that name the same records in opposite order all come through', async () => {
    const ids = ['first', 'second', 'third'], saves = 60;
    const writers = [
      { field: 'name', order: ids },
      { field: 'city', order: ids.toReversed() },
      { field: 'founded', order: ['second', 'third', 'first'] },
    ];
    for (const id of ids) await createRacedRecord(open(), id);
    const outcomes = await Promise.all(
      writers.map(async ({ field, order }, index) => {
        const device = createWorld({ store: open(), tenant: TENANT }).device('crosser', `crosser-${index}`);
        const valueOf = (id: string, number: number): string => (number > 0 ? (field === 'founded' ? `20${10 + number}-01-01` : `${field} ${number}`) : field === 'name' ? id : START);
        const results: string[] = [];
        for (let number = 1; number <= saves; number++) {
          const from = (id: string) => (field === 'founded' && number === 1 ? null : valueOf(id, number - 1));
          const { outcome } = await device.save(number, ...order.map((id) => ({ update: 'account', id, from: { [field]: from(id) }, to: { [field]: valueOf(id, number) } })));
          results.push(outcome);
        }
        return results;
      }),
    );
    expect(outcomes).toEqual(writers.map(() => Array.from({ length: saves }, () => 'saved')));
  });

  test('A21: saves whose hooks lock each other\'s records are run again, not given up', async () => {
    const ids = ['left', 'right'];
    for (const id of ids) await createRacedRecord(open(), id);
    let calls = 0;
    const both = createMeeting(2);
    const outcomes = await Promise.all(
      ids.map(async (id, index) => {
        const other = ids[1 - index]!;
        const world = createWorld({
          store: open(),
          tenant: TENANT,
          objects: {
            account: {
              // Both hold their own record when they ask for the other's: the database has to end one of the two.
              async beforeSave({ records }) {
                calls++;
                if (calls <= 2) await both();
                await records.get('account', other);
              },
            },
          },
        });
        const { outcome } = await world.device(`hooked-${index}`, `hooked-${index}`).save(1, { update: 'account', id, from: { city: START }, to: { city: 'saved' } });
        return outcome;
      }),
    );
    expect(outcomes).toEqual(['saved', 'saved']);
    expect(calls).toBeGreaterThan(2);
  });
});

/** The check-then-write that many a server does: it reads, compares and writes in one transaction, and locks nothing. */
function withoutLocks(store: ServerStore): ServerStore {
  return { ...store, run: (tenant, work) => store.run(tenant, (transaction) => work({ ...transaction, lockRecords: transaction.getRecords })) };
}

/** Starts a process with writers; what it returns gives the word and waits for what became of their saves. */
async function startChild(args: readonly string[]): Promise<() => Promise<RacedSave[]>> {
  const program = await bundleProgram('test/spec/a21-child.ts');
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => Promise.reject(new Error(`the process with writers ended with ${code}`)));
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => {});
  return async () => {
    child.stdin.write('go\n');
    await once(child, 'close');
    return JSON.parse(output.slice(output.indexOf('\n') + 1)) as RacedSave[];
  };
}
