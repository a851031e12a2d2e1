import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../../scripts/prepare.mjs';
import { bundleProgram } from '../../scripts/run-ts.mjs';

/** The demo's server as its own process, on a temporary folder. */
export interface DemoProgram {
  readonly url: string;
  /** Asks the back office, as the page does. */
  office<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Ends it as Ctrl-C does, and removes the folder. */
  stop(): Promise<void>;
}

export async function startDemo({ accounts = 40 } = {}): Promise<DemoProgram> {
  // The page's worker is the published one: it has to be built, and be the one of these sources.
  prepare();
  const folder = await mkdtemp(join(tmpdir(), 'fieldtide-demo-'));
  const program = await bundleProgram('demo/server.ts');
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    env: { ...process.env, PORT: '0', FIELDTIDE_DEMO_FOLDER: folder, FIELDTIDE_DEMO_ACCOUNTS: String(accounts) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await readUrl(child);
  return {
    url,
    async office<T>(method: string, path: string, body?: unknown) {
      const response = await fetch(`${url}/office/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      if (!response.ok) throw new Error(`the back office answered ${response.status} to ${method} ${path}: ${await response.text()}`);
      return (await response.json()) as T;
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function readUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const url = /http:\/\/\S+/.exec(printed)?.[0];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code} before it was up:\n${printed}`)));
  });
}
