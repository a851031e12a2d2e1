import type { NetworkContext } from '../engine-context.ts';
import type { Key } from '../store/record-key.ts';
import { Settlement } from '../answers/settle.ts';

/** Makes a request of its own and shows its failure in the status. */
export type Ask = <T>(request: () => Promise<T>) => Promise<T>;

/** Downloads a record with its group and takes in what is newer; answers which records came. */
export function fetchRecord({ store, link, rules, steps, answers }: NetworkContext, ask: Ask, object: string, id: string): Promise<ReadonlySet<Key>> {
  return answers.pass(async () => {
    const answer = await ask(() => link.record(store.meta.store, { object, id }));
    return steps.run(async () => {
      const images = link.images(answer);
      const settlement = new Settlement(store, rules, await store.readBases(images.keys));
      images.keys.forEach((key, index) => settlement.offer(key, images.image(index)));
      await store.commit(settlement.step, 'relaxed');
      return new Set(images.keys);
    });
  });
}
