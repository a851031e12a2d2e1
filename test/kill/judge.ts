import type { OnlineRecord } from '../../src/server/index.ts';
import { openBackend } from './backend.ts';
import type { ClientMessage } from './client-messages.ts';
import type { Ledger } from './ledger.ts';
import { USER } from './schema.ts';

export interface JudgeOptions {
  readonly ledger: Ledger;
  readonly drained: Extract<ClientMessage, { kind: 'drained' }>;
  readonly restartProblems: readonly string[];
  readonly serverFolder: string;
  readonly seedFolder: string;
}

/** Opens the server's folder and compares it with the ledger and with the device. */
export async function judge(options: JudgeOptions): Promise<{ readonly passed: number; readonly failed: number; readonly summary: string }> {
  const { ledger, drained } = options;
  const { server, store } = openBackend(options.serverFolder, options.seedFolder);
  const [notes, remarks, traces] = [await listAll('note'), await listAll('remark'), await listAll('trace')];
  const feed = await store.read('default', (view) => view.getFeed(USER));
  await server.close();
  await store.close();

  async function listAll(object: string): Promise<readonly OnlineRecord[]> {
    return server.online.list(object, { limit: 1_000_000 });
  }

  const traced = countTokens(traces.map(({ values }) => String(values.token)));
  const refused = countTokens(drained.refused);
  const onServer = new Map([...notes, ...remarks].map(({ id, values }) => [id, values.token]));
  const onDevice = new Map(Object.entries(drained.records).filter(([id]) => !id.startsWith('doomed-')));
  const saves = ledger.acknowledged;

  const checks: Readonly<Record<string, readonly string[]>> = {
    'a restarted device has every acknowledged save': options.restartProblems,
    'no acknowledged save is lost': saves
      .filter(({ token, isDoomed }) => !(isDoomed ? refused : traced).has(token))
      .map(({ op, id, token }) => `${op} of ${id} (${token})`),
    'no save is done twice': [...traced, ...refused].filter(([, count]) => count > 1).map(([token, count]) => `${token}: ${count} times`),
    'nothing is saved that was never tried': [...traced.keys(), ...refused.keys()].filter((token) => ledger.find(token) === undefined),
    'what the rules refuse is not saved, and stays visible': [...traced.keys()].filter((token) => ledger.find(token)?.isDoomed),
    'device and server agree on every record': [...new Set([...onServer.keys(), ...onDevice.keys()])]
      .filter((id) => onServer.get(id) !== onDevice.get(id))
      .map((id) => `${id}: ${String(onServer.get(id))} online, ${String(onDevice.get(id))} on the device`),
    'the device has every trace': differences(traced, countTokens(drained.traces)),
    'auto-numbers are given once': [...countTokens(notes.map(({ values }) => String(values.number)))].filter(([, count]) => count > 1).map(([number]) => number),
    'the feed has one entry for each save': feed?.head === traces.length ? [] : [`${feed?.head} entries, ${traces.length} saves`],
  };
  const lines = Object.entries(checks).map(([name, found]) => `${found.length === 0 ? 'ok  ' : 'FAIL'} ${name}${found.length === 0 ? '' : `: ${found.length}, such as\n       ${found.slice(0, 5).join('\n       ')}`}`);
  const failed = Object.values(checks).filter((found) => found.length > 0).length;
  return { passed: lines.length - failed, failed, summary: lines.join('\n') };
}

function countTokens(tokens: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

function differences(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((token) => left.get(token) !== right.get(token));
}
