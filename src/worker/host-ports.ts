import type { GuardQuestion } from '../client/queue/guard.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Commit, RecordKey, RecordRow, StateRow, Storage, StorageEstimate, StoreOwner } from '../storage/storage-adapter.ts';
import type { TokenRequest } from '../transport/token-source.ts';
import type { TransportRequest, TransportResponse } from '../transport/transport-adapter.ts';
import type { EngineParts } from './engine-start.ts';

/**
 * What of the host stays on its own thread, as one flat object of functions: comlink makes proxies of whole arguments only, and neither
 * an open store nor an abort signal can be sent. Stores and requests are named by numbers that the worker counts up.
 */
export interface HostPorts {
  token(request: TokenRequest): Promise<string | null>;
  guard(object: string, question: GuardQuestion): Promise<string | null | undefined>;
  send(call: number, request: Omit<TransportRequest, 'signal'>): Promise<TransportResponse>;
  abort(call: number): void;
  closeTransport(): void;
  openStore(store: number, owner: StoreOwner): Promise<{ readonly canEstimate: boolean }>;
  readRecords(store: number, keys: readonly RecordKey[]): Promise<readonly (Uint8Array | undefined)[]>;
  scanRecords(store: number, range: Parameters<Storage['scanRecords']>[0]): Promise<readonly RecordRow[]>;
  scanState(store: number, range: Parameters<Storage['scanState']>[0]): Promise<readonly StateRow[]>;
  commit(store: number, commit: Commit): Promise<'done' | 'stale'>;
  estimate(store: number): Promise<StorageEstimate>;
  closeStore(store: number): Promise<void>;
}

/** Puts the host's own parts behind {@link HostPorts}. Runs on the host's thread. */
export function createHostPorts({ token, guard, transport, storage }: EngineParts): HostPorts {
  const stores = new Map<number, Storage>();
  const calls = new Map<number, AbortController>();

  function storeOf(store: number): Storage {
    const open = stores.get(store);
    if (open === undefined) throw new SyncFault('STORAGE_CLOSED', 'the store of the host is not open');
    return open;
  }

  async function send(call: number, request: Omit<TransportRequest, 'signal'>): Promise<TransportResponse> {
    const controller = new AbortController();
    calls.set(call, controller);
    try {
      return await transport!.send({ ...request, signal: controller.signal });
    } finally {
      calls.delete(call);
    }
  }

  return {
    token: async (request) => (await token?.(request)) ?? null,
    guard: async (object, question) => guard?.(object, question),
    send,
    abort: (call) => calls.get(call)?.abort(),
    closeTransport: () => transport?.close?.(),
    async openStore(store, owner) {
      const open = await storage.open(owner);
      stores.set(store, open);
      return { canEstimate: open.estimate !== undefined };
    },
    readRecords: async (store, keys) => storeOf(store).readRecords(keys),
    scanRecords: async (store, range) => storeOf(store).scanRecords(range),
    scanState: async (store, range) => storeOf(store).scanState(range),
    commit: async (store, commit) => storeOf(store).commit(commit),
    estimate: async (store) => storeOf(store).estimate!(),
    async closeStore(store) {
      await stores.get(store)?.close();
      stores.delete(store);
    },
  };
}
