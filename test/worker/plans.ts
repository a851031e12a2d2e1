import { memory } from '../../src/storage/memory.ts';
import type { TransportAdapter } from '../../src/transport/transport-adapter.ts';
import type { EngineParts, EnginePlan } from '../../src/worker/engine-start.ts';
import { schema } from './fake-schema.ts';

export function planFor(user: string): EnginePlan {
  return { schema, tenant: 't', user, lifecycle: { isOnline: true, isForeground: true }, http: null, storage: null };
}

/** A transport that answers with what it was sent. */
export const echo: TransportAdapter = {
  send: async ({ body, headers }) => ({ status: 200, headers, body: body ?? new Uint8Array() }),
};

export function partsWith(parts: Partial<EngineParts> = {}): EngineParts {
  return { storage: memory(), transport: echo, ...parts };
}
