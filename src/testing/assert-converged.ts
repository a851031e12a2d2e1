import type { SyncEngine } from '../client/engine.ts';
import type { Schema } from '../protocol/schema.ts';
import type { FieldValue } from '../protocol/field.ts';
import { identify, type Authenticate } from '../server/principal.ts';
import type { OnlineAccess } from '../server/save/online.ts';
import type { CanSee } from '../server/visibility.ts';
import type { SimulatedDevice } from './simulation/simulated-device.ts';
import type { VirtualTime } from './simulation/virtual-time.ts';

/** What is compared. */
export interface Convergence {
  readonly schema: Schema;
  readonly time: VirtualTime;
  readonly online: OnlineAccess;
  readonly devices: readonly SimulatedDevice[];
  readonly canSee: CanSee | undefined;
  readonly authenticate: Authenticate;
}

const MOST_MS = 3_600_000;
const ROUND_MS = 20_000;
const MOST_DIFFERENCES = 5;

/** Lets everything come to rest, downloads on each device, and compares it with the server. @throws with what differs */
export async function assertConverged(convergence: Convergence): Promise<void> {
  await comeToRest(convergence);
  const differences: string[] = [];
  for (const device of convergence.devices) {
    await convergence.time.passUntil(device.engine!.download(), MOST_MS);
    differences.push(...(await findDifferences(convergence, device)));
  }
  if (differences.length === 0) return;
  const more = differences.length > MOST_DIFFERENCES ? `\n… and ${differences.length - MOST_DIFFERENCES} more` : '';
  throw new Error(`not converged:\n${differences.slice(0, MOST_DIFFERENCES).join('\n')}${more}`);
}

async function comeToRest({ time, devices }: Convergence): Promise<void> {
  const until = time.elapsed + MOST_MS;
  for (;;) {
    for (const device of devices) {
      device.isConnected = true;
      const engine = device.engine ?? device.start();
      await engine.setLifecycle({ isOnline: true, isForeground: true });
      await engine.wake();
    }
    await time.pass(ROUND_MS);
    const waiting: string[] = [];
    for (const device of devices) {
      const { pending, lastFault } = await time.passUntil(device.engine!.exchange(), MOST_MS);
      if (pending > 0 || lastFault !== null) waiting.push(`${device.name}: ${pending} pending${lastFault === null ? '' : `, ${lastFault.message}`}`);
    }
    if (waiting.length === 0) return;
    if (time.elapsed > until) throw new Error(`not at rest after an hour:\n${waiting.join('\n')}`);
  }
}

async function findDifferences(convergence: Convergence, device: SimulatedDevice): Promise<string[]> {
  const { schema, time } = convergence;
  const differences: string[] = [];
  for (const object of Object.keys(schema.objects)) {
    const expected = await time.passUntil(readOnline(convergence, object, device), MOST_MS);
    const held = await time.passUntil(readDevice(device.engine!, object), MOST_MS);
    for (const id of new Set([...expected.keys(), ...held.keys()])) {
      const shown = held.get(id);
      if (shown?.hasError === true) continue;
      const [here, there] = [show(shown?.values), show(expected.get(id))];
      if (here !== there) differences.push(`${device.name} has ${object} ${id} as ${here}, online it is ${there}`);
    }
  }
  return differences;
}

async function readOnline({ online, canSee, authenticate }: Convergence, object: string, { owner }: SimulatedDevice): Promise<Map<string, Readonly<Record<string, FieldValue>>>> {
  const reader = await identify(authenticate, { method: 'GET', path: '/snapshot', query: {}, headers: { authorization: `Bearer ${owner.user}` }, body: () => Promise.resolve(new Uint8Array()) });
  const found = new Map<string, Readonly<Record<string, FieldValue>>>();
  for (let after: string | undefined; ; ) {
    const page = await online.list(object, { tenant: reader.tenant, limit: 500, ...(after === undefined ? {} : { after }) });
    for (const { id, values } of page) if (canSee === undefined || canSee(reader, { object, id, values })) found.set(id, values);
    if (page.length < 500) return found;
    after = page.at(-1)!.id;
  }
}

async function readDevice(engine: SyncEngine, object: string): Promise<Map<string, { readonly values: Readonly<Record<string, FieldValue>>; readonly hasError: boolean }>> {
  const records = await engine.query({ object });
  return new Map(records.map(({ id, values, syncState }) => [id, { values, hasError: syncState === 'error' }]));
}

/** Fields that have no value may be left out. */
function show(values: Readonly<Record<string, FieldValue>> | undefined): string {
  if (values === undefined) return 'nothing';
  return JSON.stringify(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null).sort(([left], [right]) => (left < right ? -1 : 1))));
}
