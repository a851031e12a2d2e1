import type { NetworkContext } from '../engine-context.ts';
import type { Key } from '../store/record-key.ts';
import { takePage } from './take-page.ts';

/** Makes a request of its own and shows its failure in the status. */
export type Ask = <T>(request: () => Promise<T>) => Promise<T>;

/** Downloads a record with its group and takes in what is newer; answers which records came. */
export function fetchRecord(context: NetworkContext, ask: Ask, object: string, id: string): Promise<ReadonlySet<Key>> {
  const { store, link, steps, answers, emit } = context;
  return answers.pass(async () => {
    const answer = await ask(() => link.record(store.meta.store, { object, id }));
    return steps.run(async () => {
      const { settlement, keys, events } = await takePage(context, answer);
      await store.commit(settlement.step, 'relaxed');
      events.forEach(emit);
      return new Set(keys);
    });
  });
}
