import type { SyncClient } from '../../src/client/sync-client.ts';
import { autoNumber, defineSchema, integer, picklist, serverOwned, text } from '../../src/schema.ts';
import { createSyncServer, refuse, type SyncServer } from '../../src/server/index.ts';
import { memory as memoryServerStore } from '../../src/server/store/memory.ts';
import type { SyncError } from '../../src/client/inbox/sync-error.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import type { TransportAdapter } from '../../src/transport/transport-adapter.ts';

export const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { number: autoNumber({ prefix: 'A-' }), name: text({ required: true }), city: text(), visits: integer(), size: serverOwned(text()) } },
    call: { fields: { subject: text(), status: picklist('planned', 'done') } },
  },
});

export type CrmClient = SyncClient<typeof schema>;

/** A server in this process and a way to it: no network, but everything else. */
export function openCrm(): { readonly server: SyncServer; transport(): TransportAdapter } {
  const server = createSyncServer({
    schema,
    store: memoryServerStore(),
    authenticate: () => ({ user: 'ann' }),
    objects: { account: { validate: ({ next }) => (next.city === 'Atlantis' ? refuse('city', 'no-such-city', 'There is no such city') : undefined) } },
  });
  return { server, transport: () => inProcess({ handle: server.fetch }) };
}

/**
 * What a host does in a day, with everything that comes back: the same calls must give the same answers wherever the engine runs.
 */
export async function playCrmScenario(tablet: CrmClient, phone: CrmClient): Promise<readonly (readonly [string, unknown])[]> {
  const log: [string, unknown][] = [];
  const note = (what: string, value: unknown) => log.push([what, value]);
  const { account } = tablet.objects;

  note('created', await account.create({ id: 'st-mary', name: 'St. Mary', city: 'Ghent' }));
  note('saved', await tablet.outcome(1));
  await tablet.exchange();
  note('read back', await account.get('st-mary'));
  note('downloaded', (await phone.download()).records);
  note('on the phone', await phone.objects.account.query({ where: { city: { startsWith: 'gh' } }, orderBy: 'name' }).get());

  note('edited', (await phone.objects.account.update('st-mary', { visits: 3 })).entry);
  await phone.exchange();
  await tablet.exchange();
  note('heard of it', (await account.get('st-mary'))?.visits);
  note('nothing to do', await account.update('st-mary', { visits: 3 }));

  const refused = await account.update('st-mary', { city: 'Atlantis' });
  note('refused', await tablet.outcome(refused.entry));
  note('error', (await tablet.syncErrors.list()).map(withoutTimes));
  note('status', (await tablet.status.get()).state);
  note('undone', await tablet.syncErrors.undo(refused.entry!));
  note('as before', (await account.get('st-mary'))?.city);

  note('removed', await account.remove('st-mary'));
  await tablet.exchange();
  note('gone', await account.get('st-mary'));
  for (const wrong of wrongCalls(tablet)) note('fault', await wrong().then(() => 'none', describeThrown));
  return log;
}

function wrongCalls({ objects: { account, call }, outcome, syncErrors }: CrmClient): readonly (() => Promise<unknown>)[] {
  return [
    () => account.create({ name: '' }),
    () => account.create({ name: 'A', visits: 1.5 }),
    () => account.update('nobody', { city: 'Ghent' }),
    () => call.create({ status: 'started' as 'done' }),
    () => call.create({ subject: (() => 'a function') as unknown as string }),
    () => account.query({ where: { nothing: 1 } as object }).get(),
    () => outcome(4711),
    () => syncErrors.undo(4711),
  ];
}

function describeThrown(thrown: unknown): unknown {
  const { name, code, details } = thrown as { readonly name: string; readonly code: string; readonly details: object };
  return { name, code, details: Object.keys(details) };
}

function withoutTimes({ savedAt, refusedAt, ...rest }: SyncError): unknown {
  return { ...rest, isTimed: savedAt <= refusedAt };
}
