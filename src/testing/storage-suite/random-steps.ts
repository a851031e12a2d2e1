import { bytesEqual, utf8 } from '../../shared/bytes.ts';
import type { Commit, Storage } from '../../storage/storage-adapter.ts';
import { assertEqual } from '../assert.ts';
import { contentsOf, record, state } from './context.ts';

/** Puts a store and the slow, obvious version of it through the same random commits, and compares them on the way. */
export async function runRandomSteps(storage: Storage, steps: number): Promise<void> {
  const model = new Model();
  const random = createGenerator(20_261_121);
  for (let step = 1; step <= steps; step++) {
    const commit = randomCommit(random, step, model);
    assertEqual(await storage.commit(commit), model.commit(commit), `the answer of commit ${step}`);
    if (step % 20 === 0) assertEqual(await contentsOf(storage), model.contents(), `what the store holds after commit ${step}`);
  }
}

class Model {
  readonly records = new Map<string, string>();
  readonly state = new Map<string, Uint8Array>();

  commit(commit: Commit): 'done' | 'stale' {
    const holds = (commit.expect ?? []).every(({ key, bytes }) => {
      const held = this.state.get(key);
      return bytes === null ? held === undefined : held !== undefined && bytesEqual(held, bytes);
    });
    if (!holds) return 'stale';
    for (const { object, id } of commit.removeRecords ?? []) this.records.delete(`${object}/${id}`);
    for (const { object, id, bytes } of commit.putRecords ?? []) this.records.set(`${object}/${id}`, new TextDecoder().decode(bytes));
    for (const key of commit.removeState ?? []) this.state.delete(key);
    for (const { key, bytes } of commit.putState ?? []) this.state.set(key, bytes);
    return 'done';
  }

  contents(): string[] {
    const records = (object: string) => [...this.records].filter(([path]) => path.startsWith(`${object}/`)).sort(byKey).map(([path, text]) => `${path}=${text}`);
    const states = [...this.state].sort(byKey).map(([key, bytes]) => `${key}=${new TextDecoder().decode(bytes)}`);
    return [...records('note'), ...records('line'), ...states];
  }
}

function byKey([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1;
}

function randomCommit(random: (below: number) => number, step: number, model: Model): Commit {
  const key = () => `k${random(40)}`;
  const object = () => (random(2) === 0 ? 'note' : 'line');
  // Mostly single edits, sometimes a feed page.
  const many = random(10) === 0 ? 150 : 3;
  const list = <T>(make: () => T): T[] => Array.from({ length: random(many) }, make);
  const guard = key();
  return {
    durability: random(2) === 0 ? 'strict' : 'relaxed',
    expect: random(3) === 0 ? [{ key: guard, bytes: random(3) === 0 ? null : (model.state.get(guard) ?? null) }] : [],
    putRecords: list(() => record(`id${random(200)}`, `${step}`, object())),
    removeRecords: list(() => ({ object: object(), id: `id${random(200)}` })),
    putState: [...list(() => state(key(), `${step}`)), ...(random(2) === 0 ? [{ key: key(), bytes: utf8('') }] : [])],
    removeState: list(key),
  };
}

/** A small generator of its own (a linear congruence), so that a failure comes back at every run. */
export function createGenerator(seed: number): (below: number) => number {
  let last = seed;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 0x1_0000_0000) * below);
  };
}
