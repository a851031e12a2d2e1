import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { parseUploadRequest, parseVoidRequest } from '../../src/protocol/parse.ts';
import { memory } from '../../src/storage/memory.ts';
import { forgeResults } from '../support/forged-answer.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

const HOUR_MS = 3_600_000;

let world: World<typeof groupSchema>;
afterEach(() => world.close());

const numbersOf = ({ requests }: TestDevice) => requests.filter(({ path }) => path === 'upload').flatMap(({ body }) => parseUploadRequest(decodeEnvelope(body!)).entries.map(({ number }) => number));
const voidsOf = ({ requests }: TestDevice) => requests.filter(({ path }) => path === 'void').map(({ body }) => [...parseVoidRequest(decodeEnvelope(body!)).numbers]);

/** A device that has given up on a save which the server could not decide for more than an hour. */
async function createGivenUp(disk = memory()): Promise<{ device: TestDevice; entry: number }> {
  const device = await world.device('ann', { storage: disk });
  await device.engine.exchange();
  device.intercept(forgeResults(({ number }) => ({ number, outcome: 'tryLater', retryAfterMs: 240_000, message: 'the hook has failed' })));
  const { entry } = await device.engine.create('inquiry', { question: 'why?' }, 'i1');
  for (let minutes = 0; minutes < 90; minutes += 4) await world.clock.advance(HOUR_MS / 15);
  expect(await device.engine.listSyncErrors()).toMatchObject([{ id: entry, class: 'server-error' }]);
  device.intercept(null);
  return { device, entry: entry! };
}

describe('C2: a save that the device gave up on', () => {
  test('is taken back only after the server has given up its number: what was decided after all is settled instead', async () => {
    world = createWorld(groupSchema);
    // The forged delays hid that the server has saved it at once.
    const { device, entry } = await createGivenUp();
    const receipt = await device.engine.undo(entry);
    expect(receipt.entries).toEqual([]);
    expect(voidsOf(device)).toEqual([[numbersOf(device)[0]]]);
    expect(await device.engine.outcome(entry)).toEqual({ kind: 'saved' });
    expect(await device.engine.get('inquiry', 'i1')).toMatchObject({ syncState: 'synced', values: { question: 'why?' } });
    expect(await device.engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
  });

  test('undecided, is given up for good: it is undone here, and a late request for it changes nothing online', async () => {
    let isBroken = true;
    world = createWorld(groupSchema, {
      objects: {
        inquiry: {
          beforeSave() {
            if (isBroken) throw new Error('the hook has failed');
          },
        },
      },
    });
    const { device, entry } = await createGivenUp();
    const late = device.requests.find(({ path }) => path === 'upload')!;
    expect((await device.engine.undo(entry)).entries).toEqual([entry]);
    expect(await device.engine.outcome(entry)).toEqual({ kind: 'undone' });
    expect(await device.engine.get('inquiry', 'i1')).toBeNull();
    isBroken = false;
    // The first request comes in again, from some proxy.
    const other = await world.device('ann');
    other.intercept((_, send) => send(late));
    await other.engine.exchange();
    expect(await world.server.online.list('inquiry')).toEqual([]);
  });

  test('and whose number was given up, is sent under another when the user wants it after all', async () => {
    let isBroken = true;
    world = createWorld(groupSchema, {
      objects: {
        inquiry: {
          beforeSave() {
            if (isBroken) throw new Error('the hook has failed');
          },
        },
      },
    });
    const { device, entry } = await createGivenUp();
    // The answer to the giving up is lost.
    device.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path === 'void') throw new TypeError('the answer is lost');
      return answer;
    });
    await expect(device.engine.undo(entry)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    expect(await device.engine.listSyncErrors()).toHaveLength(1);
    device.intercept(null);
    isBroken = false;
    await device.engine.resolve(entry, 'retry');
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await device.engine.outcome(entry)).toEqual({ kind: 'saved' });
    const numbers = new Set(numbersOf(device));
    expect(numbers.size).toBe(2);
    expect(await world.server.online.list('inquiry')).toHaveLength(1);
  });
});

describe('C2: a store that was copied', () => {
  test('waits no more for what the server had put off', async () => {
    world = createWorld(groupSchema);
    const device = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    for (const name of ['a', 'b']) await device.engine.create('call', { name });
    device.intercept(forgeResults(({ number }, index) => (index === 0 ? { number, outcome: 'copied' } : { number, outcome: 'tryLater', retryAfterMs: 1_000, message: 'busy' })));
    await device.engine.setLifecycle({ isOnline: true });
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 2 });
    await world.clock.advance(5_000);
    expect(Math.min(...world.clock.timers)).toBeGreaterThan(5_000);
  });

  test('makes the fate of what the device gave up on unknown too: its number is of the old store', async () => {
    world = createWorld(groupSchema);
    const { device, entry } = await createGivenUp();
    device.intercept(forgeResults(({ number }) => ({ number, outcome: 'copied' })));
    const other = await device.engine.create('call', { name: 'St. Mary' });
    await device.engine.exchange();
    expect((await device.engine.listSyncErrors()).map(({ id, class: reason }) => [id, reason])).toEqual([[entry, 'fate-unknown'], [other.entry, 'fate-unknown']]);
  });

  test('while saves of groups were under way, leaves no save unaccounted for: what may have arrived becomes a sync error, the rest goes up', async () => {
    world = createWorld(groupSchema);
    const disk = memory();
    const device = await world.device('ann', { storage: disk });
    for (const id of ['c1', 'c2', 'c3']) await device.engine.create('call', { name: id }, id);
    await device.engine.exchange();
    await device.engine.setLifecycle({ isOnline: false });
    const edits = [];
    for (const id of ['c1', 'c2', 'c3']) edits.push(await device.engine.save([{ op: 'update', object: 'call', id, values: { notes: 'mine' } }, { op: 'create', object: 'callSample', id: `s-${id}`, values: { call: id, product: 'gauze', quantity: 1 } }]));
    const behind = await device.engine.update('callSample', 's-c2', { quantity: 2 });
    // The other copy has used the second number for something else; the server saved the first and could not decide on the third.
    device.intercept(
      forgeResults((result, index) => {
        if (index === 0) return result;
        return index === 1 ? { number: result.number, outcome: 'copied' } : { number: result.number, outcome: 'tryLater', retryAfterMs: 1_000, message: 'busy' };
      }),
    );
    await device.engine.setLifecycle({ isOnline: true });
    await device.engine.exchange();
    expect(await device.engine.outcome(edits[0]!.entry!)).toEqual({ kind: 'saved' });
    const errors = await device.engine.listSyncErrors();
    expect(errors.map(({ id, class: reason }) => [id, reason])).toEqual([[edits[1]!.entry, 'fate-unknown'], [edits[2]!.entry, 'fate-unknown']]);
    expect(await device.engine.status()).toMatchObject({ pending: 1 });
    expect(new Set(device.requests.filter(({ path }) => path === 'upload').map(({ headers }) => headers['fieldtide-store'])).size).toBe(1);
    // From here on it is a store of its own; nothing of the unknown ones goes up by itself.
    device.intercept(null);
    for (const { id } of errors) await device.engine.resolve(id, 'retry');
    expect(await device.engine.exchange()).toMatchObject({ pending: 0 });
    expect(await device.engine.outcome(behind.entry!)).toMatchObject({ kind: expect.stringMatching(/saved|refused/) as unknown });
    expect(new Set(device.requests.filter(({ path }) => path === 'upload').map(({ headers }) => headers['fieldtide-store'])).size).toBe(2);
    expect(await world.server.online.list('callSample')).toHaveLength(3);
  });
});
