import type { EngineContext } from '../engine-context.ts';
import { namedIn } from '../store/parked.ts';
import type { Key } from '../store/record-key.ts';
import { Settlement } from './settle.ts';

/**
 * Merges what was kept aside for records that are free now, group by group, where nothing is in the way any more (rules A35, A36, A38). A
 * step of its own: must not be called inside one.
 */
export function releaseFreed(context: EngineContext, keys: Iterable<Key>): Promise<void> {
  return context.steps.run(() => releaseInStep(context, keys));
}

/** The same inside a step that has nothing else to write. */
export async function releaseInStep({ store, rules }: EngineContext, keys: Iterable<Key>): Promise<void> {
  const freed = new Set([...keys].flatMap((key) => [key, ...store.parkedOf(key).flatMap((group) => [...namedIn(group)])]));
  const settlement = new Settlement(store, rules, await store.readBases(freed));
  for (const key of freed) settlement.releaseSide(key);
  await store.commit(settlement.step, 'relaxed');
}
