import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { defineSchema, integer, parent, text } from '../../src/schema.ts';
import { isFault } from '../../src/shared/fault.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, type Intercept, type TestDevice, type World } from '../support/world.ts';
import { mutate } from './mutate.ts';
import { mutateValue } from './mutate-value.ts';

// Whatever comes back as an answer, a client takes it, or says with a code why not. It never fails otherwise, and never hangs.

const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text({ required: true }), staff: integer() } },
    order: { fields: { notes: text() } },
    line: { fields: { order: parent('order', { group: true }), product: text() } },
  },
});

const RUNS = 20;
let world: World<typeof schema>;
afterEach(() => world.close());

describe('answers that were damaged', () => {
  test.each([
    ['in their bytes', (body: Uint8Array, random: ReturnType<typeof createSeededRandom>) => mutate(body, body, random)],
    // The echo stays: a value within an answer that is ours.
    ['in their values', (body: Uint8Array, random: ReturnType<typeof createSeededRandom>) => encodeEnvelope(mutateValue(decodeEnvelope(body), random, ['protocol', 'store', 'attempt']) as object)],
  ])('%s are refused with a code, or taken', async (_where, damage) => {
    const codes = new Set<string>();
    for (let seed = 1; seed <= RUNS; seed++) {
      world = createWorld(schema);
      const random = createSeededRandom(seed);
      const other = await world.device('ann'), device = await world.device('ann');
      await saveSome(other, 'other');
      await other.engine.setLifecycle({ isOnline: true });
      await other.engine.exchange();
      await saveSome(device, 'own');
      device.intercept(damaging((body) => (random.next() < 0.6 ? damage(body, random) : body)));
      await device.engine.setLifecycle({ isOnline: true });
      const calls = [() => device.engine.exchange(), () => device.engine.download(), () => device.engine.fetch('account', 'other-account'), () => world.clock.advance(120_000)];
      for (let round = 0; round < 8; round++) {
        const thrown: unknown = await calls[round % calls.length]!().then(() => null, (cause: unknown) => cause);
        if (thrown !== null) expect(isFault(thrown), String(thrown)).toBe(true);
        if (isFault(thrown)) codes.add(thrown.code);
      }
      const { lastFault } = await device.engine.status();
      if (lastFault !== null) codes.add(lastFault.code);
      // What was saved here is still here, or became something that the device tells of.
      expect(Array.isArray(await device.engine.query({ object: 'account' }))).toBe(true);
      device.intercept(null);
      await device.engine.close();
      await world.close();
    }
    expect(codes).toContain('TRANSPORT_BAD_ANSWER');
    expect(codes).not.toContain('WORKER_FAILED');
  });
});

async function saveSome({ engine }: TestDevice, name: string): Promise<void> {
  await engine.create('account', { name, staff: 3 }, `${name}-account`);
  await engine.save([
    { op: 'create', object: 'order', id: `${name}-order`, values: { notes: name } },
    { op: 'create', object: 'line', id: `${name}-line`, values: { order: `${name}-order`, product: 'gauze' } },
  ]);
}

/** Damages the bodies of answers that are messages. */
function damaging(damage: (body: Uint8Array) => Uint8Array): Intercept {
  return async (request, send) => {
    const response = await send(request);
    return response.body.length === 0 ? response : { ...response, body: damage(response.body) };
  };
}
