import type { HostGuards } from '../client/queue/guard.ts';
import type { Lifecycle } from '../client/engine.ts';
import type { Schema } from '../protocol/schema.ts';
import type { StorageAdapter, StorageDescriptor } from '../storage/storage-adapter.ts';
import type { TokenProvider } from '../transport/token-source.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';

/** The Wasm core that a host brings: its bytes, the compiled module, or where to fetch it. */
export type CoreSource = BufferSource | WebAssembly.Module | string;

/** Makes a worker from the package's worker file, for hosts whose bundler cannot find it by itself. */
export type WorkerFactory = () => Worker;

/** How to reach the server, as plain data. */
export interface HttpTarget {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** The host gives access tokens: {@link EngineParts.token}. */
  readonly hasToken: boolean;
}

/** How the engine is to behave, as plain data. */
export interface EngineTuning {
  /** How often to ask for news, in milliseconds. @defaultValue 30_000 */
  readonly pollIntervalMs?: number;
  /** How long what came out of scope stays though a download does not have it, in milliseconds of server time (rule A32). @defaultValue 604_800_000, seven days */
  readonly outOfScopeGraceMs?: number;
  /** Looks at the store and changes nothing, here or online. @defaultValue false */
  readonly readOnly?: boolean;
  /** The objects of which the host guards saves: {@link EngineParts.guard}. @defaultValue none */
  readonly guards?: readonly string[];
}

/** Everything about an engine that is plain data and can be sent to a worker. */
export interface EnginePlan extends EngineTuning {
  readonly schema: Schema;
  readonly tenant: string;
  readonly user: string;
  readonly wasm?: CoreSource;
  readonly lifecycle: Lifecycle;
  /** `null`: the host brings its own transport. */
  readonly http: HttpTarget | null;
  /** What a worker makes its store from; `null`: the host brings its own adapter, which stays on the host's thread. */
  readonly storage: StorageDescriptor | null;
  /** What the host's adapter says of who else sees its stores: {@link StorageAdapter.sharedAs}. */
  readonly sharedAs?: string;
}

/** The parts of an engine that are objects and functions of the host. */
export interface EngineParts {
  readonly storage: StorageAdapter;
  /** There when the plan has no `http`. */
  readonly transport?: TransportAdapter;
  readonly token?: TokenProvider;
  /** There when the plan has `guards`. */
  readonly guard?: HostGuards['ask'];
}
