// What a newcomer does, with the package as npm would publish it: an empty project, `npm install`, the README's ten lines, a page.
// Ends with `N passed, N failed`. `npm run check` leaves the tarball that is installed here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildPages, openPages } from './pages.ts';
import { freePort } from './free-port.ts';

const TARBALLS = resolve('build/pack');
const project = mkdtempSync(join(tmpdir(), 'newcomer-'));
let failed = 0;
let passed = 0;

/** The first TypeScript of the README. */
function readTenLines(): string {
  const block = /```ts\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'));
  if (block === null) throw new Error('README.md has no ```ts block');
  return block[1]!;
}

async function check(claim: string, prove: () => Promise<void> | void): Promise<void> {
  const startedAt = performance.now();
  try {
    await prove();
    passed += 1;
    console.log(`ok: ${claim} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  } catch (thrown) {
    failed += 1;
    console.log(`FAILED: ${claim}\n${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  }
}

function run(command: string, args: readonly string[]): string {
  const isScript = command === 'npm' && process.platform === 'win32';
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: project, encoding: 'utf8', shell: isScript, timeout: 120_000 });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

function expectText(text: string, ...parts: readonly string[]): void {
  for (const part of parts) if (!text.includes(part)) throw new Error(`expected ${part} in:\n${text}`);
}

function install(): void {
  const tarball = readdirSync(TARBALLS).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`there is no tarball in ${TARBALLS}: npm run check makes it`);
  writeFileSync(join(project, 'package.json'), '{ "name": "newcomer", "private": true, "type": "module" }\n');
  // Offline: a package that had dependencies could not be installed.
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(TARBALLS, tarball)]);
  const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
  if (installed.join() !== 'fieldtide') throw new Error(`installed more than the package: ${installed.join(', ')}`);
}

async function runTenLines(): Promise<void> {
  // A port that is free; the README names one that a reader can remember.
  const port = await freePort();
  writeFileSync(join(project, 'try.mjs'), readTenLines().replaceAll('4390', String(port)));
  expectText(run(process.execPath, ['try.mjs']), "kind: 'saved'", "name: 'St. Mary'", "syncState: 'synced'");
}

function typecheck(file: string, source: string, options: Readonly<Record<string, unknown>>): void {
  writeFileSync(join(project, file), source);
  const strict = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', module: 'nodenext', types: [] };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...options }, files: [file] }));
  run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']);
}

function typecheckTenLines(): void {
  typecheck('try.ts', readTenLines(), { types: ['node'], typeRoots: [resolve('node_modules/@types')] });
}

/** Without the types of Node: what a page imports must not need them. */
function typecheckPage(): void {
  typecheck('typed-page.ts', PAGE_TYPES, { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] });
}

function refuseWrongTypes(): void {
  const wrong = `${PAGE_TYPES}\nawait call.update('c', { status: 'started' });\n`;
  try {
    typecheck('wrong-page.ts', wrong, { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] });
  } catch (thrown) {
    expectText(String(thrown), 'TS2322', 'started');
    return;
  }
  throw new Error('a wrong value passed the compiler');
}

const PAGE_TYPES = `
import { createSyncClient, isFault, type SyncClient, type SyncStatus } from 'fieldtide';
import { defineSchema, integer, picklist, text } from 'fieldtide/schema';
import { indexedDb } from 'fieldtide/storage/indexeddb';

const schema = defineSchema({
  version: 1,
  objects: { call: { fields: { subject: text({ required: true }), status: picklist('planned', 'done'), minutes: integer() } } },
});
export const client: SyncClient<typeof schema> = createSyncClient({
  schema,
  user: 'ann',
  storage: indexedDb({ name: 'crm' }),
  transport: { url: '/sync', token: async ({ reason }) => reason },
  worker: () => new Worker(new URL('fieldtide/worker', import.meta.url), { type: 'module' }),
});
const { call } = client.objects;
const saved = await call.create({ subject: 'A', status: 'done' });
const minutes: number | null | undefined = (await call.get(saved.id))?.minutes;
call.query({ where: { status: { in: ['done'] }, minutes: { atLeast: minutes ?? 0 } }, orderBy: 'subject' }).subscribe((calls) => calls.map(({ syncState }) => syncState));
client.status.subscribe((status: SyncStatus) => status.pending);
await call.update(saved.id, { minutes: 3 }).catch((thrown: unknown) => isFault(thrown, 'RECORD_MISSING'));
`;

await check('the package installs in an empty project, and brings nothing with it', install);
await check('the ten lines of the README run, print what they say, and end', runTenLines);
await check('the ten lines of the README are good TypeScript', typecheckTenLines);
await check('a page is good TypeScript without the types of Node', typecheckPage);
await check('a wrong value is refused by TypeScript', refuseWrongTypes);
if (existsSync(join(project, 'node_modules/fieldtide'))) {
  await check('pages are built, with esbuild and with Vite', () => buildPages(project));
  await openPages(project, check);
}
rmSync(project, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
