import { expect, test } from 'vitest';
import { createDeviceSightings, readSighting } from '../../src/server/device-sightings.ts';
import { FACT_KINDS } from '../../src/server/fact-kinds.ts';
import { memory } from '../../src/server/store/memory.ts';
import type { ServerStore } from '../../src/server/index.ts';
import { platformClock } from '../../src/shared/platform.ts';

test('A3: what is heard of a device while its sighting is being written is written by the next', async () => {
  const inner = memory();
  let now = 1_000, onWrite = (): void => {};
  const store: ServerStore = {
    ...inner,
    async run(tenant, work) {
      const done = await inner.run(tenant, work);
      onWrite();
      return done;
    },
  };
  const sightings = createDeviceSightings({ store, clock: { ...platformClock, now: () => now }, log: () => {} });
  const ann = { tenant: 'default', user: 'ann', claims: {} };
  onWrite = () => {
    onWrite = () => {};
    now = 2_000;
    void sightings.note(ann, 'ann-tablet', '3.7');
  };
  await sightings.note(ann, 'ann-tablet', '0.0');
  await sightings.flushAll();
  const [fact] = await inner.read('default', (view) => view.listFacts(FACT_KINDS.device, { limit: 9 }));
  expect(readSighting(fact!)).toEqual({ store: 'ann-tablet', user: 'ann', lastSeenAt: 2_000, pending: { count: 3, oldestAgeMs: 7_000, reportedAt: 2_000 } });
});
