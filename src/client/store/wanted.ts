import type { LocalStore } from './local-store.ts';
import type { Key } from './record-key.ts';
import type { Step } from './step.ts';

/** State rows of records that are to be read anew from the server: not among `STATE`, because no start needs them. */
const WANTED = 'wanted/';

/** Notes with a step that records are to be read anew (rule B13). */
export function noteWanted(step: Step, keys: Iterable<Key>): void {
  for (const key of new Set(keys)) step.putState.push({ key: WANTED + key, bytes: new Uint8Array() });
}

/** Notes with a step that they were read. */
export function noteRead(step: Step, keys: Iterable<Key>): void {
  for (const key of keys) step.removeState.push(WANTED + key);
}

/** Whether a record is to be read anew. */
export async function isWanted(store: LocalStore, key: Key): Promise<boolean> {
  return (await store.readState(WANTED + key)) !== null;
}

/** All records that are to be read anew. */
export async function readWanted(store: LocalStore): Promise<Set<Key>> {
  const keys = new Set<Key>();
  for await (const { key } of store.scanState(WANTED)) keys.add(key.slice(WANTED.length));
  return keys;
}
