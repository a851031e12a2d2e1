import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { CONTENT_TYPE, HEADERS } from '../../src/protocol/messages.ts';
import type { ServerLogEvent } from '../../src/server/server-parts.ts';
import { createWorld, type TestChange } from '../server/harness.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { below, mutate } from './mutate.ts';
import { mutateValue } from './mutate-value.ts';

// Whatever is sent to a server ends in one of its own answers: never in a failure that nobody foresaw.

const RUNS = 600;
const STATUSES = [200, 204, 400, 401, 403, 404, 413, 426];
const random = createSeededRandom(13);

const CHANGES: readonly TestChange[] = [
  { create: 'account', id: 'a1', values: { name: 'St. Mary', city: 'Ghent', tags: ['x', 'y'], staff: 4, founded: '2001-02-03', extra: { deep: [1, 2] } } },
  { create: 'order', id: 'o1', values: { account: 'a1', status: 'open', notes: 'urgent' } },
  { create: 'line', id: 'l1', values: { order: 'o1', product: 'gauze', quantity: 2, price: '1.25' } },
];

/** A server that tells what failed in it, with something of each kind saved. */
async function openWorld() {
  const failures: ServerLogEvent[] = [];
  const world = createWorld({ log: (event) => void (event.level === 'error' && failures.push(event)) });
  const tablet = world.device('ann');
  await tablet.upload({ number: 1, changes: CHANGES });
  return { ...world, tablet, failures };
}

describe('requests that were damaged', () => {
  const update: TestChange = { update: 'account', id: 'a1', from: { name: 'St. Mary', city: 'Ghent' }, to: { name: 'St. John', city: 'Bruges' } };
  const remove: TestChange = { remove: 'line', id: 'l1', was: { product: 'gauze' } };

  test.each([
    ['uploads', 'upload'],
    ['numbers that are given up', 'void'],
  ])('%s end in an answer of the server', async (_name, path) => {
    const { tablet, failures } = await openWorld();
    const bodies = path === 'void'
      ? [encodeEnvelope({ protocol: 1, store: tablet.store, attempt: 'a', numbers: [2, 3] })]
      : [tablet.encodeUpload([{ number: 2, changes: [update, remove] }]), tablet.encodeUpload([{ number: 3, changes: CHANGES, headers: [{ object: 'order', id: 'o1', epoch: 1, n: 1 }] }])];
    const statuses = new Set<number>();
    for (let run = 0; run < RUNS; run++) {
      const body = bodies[run % bodies.length]!, other = bodies[(run + 1) % bodies.length]!;
      const damaged = run % 2 === 0 ? mutate(body, other, random) : encodeEnvelope(mutateValue(decodeEnvelope(body), random) as object);
      const { status, headers } = await tablet.post(damaged, {}, path);
      expect(STATUSES).toContain(status);
      expect(headers['content-type']).toBe(CONTENT_TYPE);
      statuses.add(status);
    }
    expect(failures).toEqual([]);
    expect(statuses).toContain(400);
    expect(statuses).toContain(200);
    // It still serves.
    expect((await tablet.get('hello')).status).toBe(200);
  });

  test('queries and headers end in an answer of the server', async () => {
    const { server, tablet, failures } = await openWorld();
    const queries = { hello: {}, feed: { cursor: 'x.1.1', limit: '10' }, snapshot: { object: 'account', id: 'a', limit: '5' }, record: { object: 'order', id: 'o1' } };
    for (let run = 0; run < RUNS; run++) {
      const [path, query] = Object.entries(queries)[below(random, 4)]!;
      const good = { authorization: 'ann', [HEADERS.protocol]: '1', [HEADERS.store]: tablet.store, [HEADERS.attempt]: 'a' };
      const headers = random.next() < 0.5 ? good : textsOf(mutateValue(good, random, ['authorization']));
      const answer = await server.handle({ method: 'GET', path: `/sync/${path}`, query: textsOf(mutateValue(query, random)), headers, body: async () => new Uint8Array() });
      expect(STATUSES).toContain(answer.status);
    }
    expect(failures).toEqual([]);
  });
});

/** Queries and headers are texts, whatever they say. */
function textsOf(value: unknown): Record<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined).map(([key, text]) => [key, typeof text === 'string' ? text : JSON.stringify(text)]));
}
