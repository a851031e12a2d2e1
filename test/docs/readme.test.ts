import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { createTypedClient } from '../../src/client/sync-client.ts';
import { groupSchema } from '../spec/group-schema.ts';
import { createWorld } from '../support/world.ts';

/** The TypeScript of the README under a heading. It has no types in it, so it runs as it stands. */
function readLines(heading: string): string {
  const section = readFileSync('README.md', 'utf8').split(/^## /m).find((text) => text.startsWith(heading));
  return /```ts\n([\s\S]*?)```/.exec(section ?? '')?.[1] ?? '';
}

const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<void>;

test('the short tour of the README runs, and saves what it says', async () => {
  const world = createWorld(groupSchema);
  onTestFinished(() => world.close());
  const { engine } = await world.device('ann');
  const runtime = { report: Promise.resolve({ kind: 'in-place' as const, skipped: [] }), subscribe: () => () => {} };
  const client = createTypedClient({ schema: groupSchema, engine, runtime });
  const said: unknown[] = [];
  const lines = readLines('A short tour');
  expect(lines).not.toBe('');
  await new AsyncFunction('client', 'console', lines)(client, { log: (value: unknown) => said.push(value) });
  expect(said.at(-1)).toEqual({ kind: 'saved' });
  expect((await world.server.online.list('order')).map(({ values }) => values)).toMatchObject([{ status: 'open', notes: 'urgent' }]);
  expect((await world.server.online.list('line')).map(({ values }) => values.product).sort()).toEqual(['gauze', 'tape']);
});
