import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../../scripts/run-ts.mjs';
import { postgres } from '../../src/server/store/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { judge, type Saved, type Seen } from './a29-feed-race.ts';

const WRITERS = Array.from({ length: 12 }, (_, index) => String(index));

interface Race {
  readonly variant: 'product' | 'sequence';
  readonly processes: number;
  readonly users: number;
  readonly saves: number;
}

describeOnPostgres('A29: a feed that is read while it is written, on a real PostgreSQL', { timeout: 240_000 }, () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  async function race({ variant, processes, users, saves }: Race): Promise<{ readonly saved: Saved[]; readonly seen: Seen[] }> {
    const url = await server.createDatabase();
    const store = postgres({ url });
    await store.ready;
    await store.close();
    if (variant === 'sequence') await server.query(url, 'create sequence naive_position');
    const shares = Array.from({ length: processes }, (_, share) => WRITERS.filter((_writer, index) => index % processes === share));
    const children = await Promise.all(shares.map((writers) => startChild([url, variant, String(users), String(saves), ...writers])));
    for (const word of ['ready', 'written']) {
      expect(await Promise.all(children.map(({ line }) => line()))).toEqual(children.map(() => word));
      for (const child of children) child.go();
    }
    const results = await Promise.all(children.map(async ({ line }) => JSON.parse(await line()) as { saved: Saved[]; seen: Seen[] }));
    return { saved: results.flatMap(({ saved }) => saved), seen: results.flatMap(({ seen }) => seen) };
  }

  test.each([
    { processes: 1, users: 1 },
    { processes: 1, users: 8 },
    { processes: 2, users: 1 },
    { processes: 2, users: 8 },
  ])('A29: of 12 writers and $users users on $processes server processes no poller misses an entry, nor sees one twice', async ({ processes, users }) => {
    const saves = 25;
    const { saved, seen } = await race({ variant: 'product', processes, users, saves });
    expect(judge(saved, seen)).toEqual([]);
    expect([saved.length, seen.length]).toEqual([12 * saves, processes * users]);
    // Positions are dense, whatever was rolled back on the way.
    for (const { entries } of seen) expect(entries.map(([position]) => position)).toEqual(entries.map((_, index) => index + 1));
  });

  test('A29: the same judge finds entries that were missed where positions come from a sequence', async () => {
    const found: string[] = [];
    // It takes one page that is read between two commits in the wrong order; on a busy machine a race may go by without.
    for (let races = 0; races < 5 && found.length === 0; races++) {
      const { saved, seen } = await race({ variant: 'sequence', processes: 2, users: 1, saves: 25 });
      found.push(...judge(saved, seen));
    }
    expect(found).toContainEqual(expect.stringMatching(/^poller \d missed writer-\d+#\d+$/));
  });
});

interface Child {
  /** The next line that it says. */
  line(): Promise<string>;
  /** Gives it the word. */
  go(): void;
}

async function startChild(args: readonly string[]): Promise<Child> {
  const program = await bundleProgram('test/spec/a29-child.ts');
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the process with writers and pollers ended');
      return value;
    },
    go: () => void child.stdin.write('go\n'),
  };
}
