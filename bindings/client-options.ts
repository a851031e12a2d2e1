import type { Schema } from '../src/schema.ts';
import { SyncFault } from '../src/shared/fault.ts';
import type { StorageAdapter } from '../src/storage/storage-adapter.ts';
import type { TokenProvider } from '../src/transport/token-source.ts';
import type { TransportAdapter } from '../src/transport/transport-adapter.ts';
import type { SaveGuards } from '../src/client/facade/typed-guards.ts';
import type { GuardQuestion } from '../src/client/queue/guard.ts';
import type { CoreSource, EngineParts, EnginePlan, HttpTarget } from '../src/worker/engine-start.ts';
import { readPageLifecycle, resolveUrl } from '../src/worker/page.ts';

/** The server, as an address. */
export interface HttpServer {
  /** The server's base URL, such as `https://api.example.com/sync`; in a page it can be relative to the page. */
  readonly url: string;
  /**
   * Gives the access token that goes out as `Authorization: Bearer`; `null` when nobody is signed in. It is asked once, and again with
   * `reason: 'refused'` when the server answers 401.
   */
  readonly token?: TokenProvider;
  /** Headers for every request, such as a tenant's name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long a request may take, in milliseconds. @defaultValue 30_000 */
  readonly timeoutMs?: number;
}

/** What every client needs to know. */
export interface ClientOptions<S extends Schema> {
  /** What is exchanged, made with `defineSchema`. */
  readonly schema: S;
  /** Whose data it is: names the local store, so that another user of the same device never sees it. The server checks it against the token. */
  readonly user: string;
  /** Whose customer the user belongs to, on servers that keep several apart. @defaultValue '' */
  readonly tenant?: string;
  /** Where records and unsent changes are kept: `indexedDb({ name })`, `memory()`, or the host's own adapter. */
  readonly storage: StorageAdapter;
  /** The server's address, or the host's own way to it. */
  readonly transport: HttpServer | TransportAdapter;
  /**
   * Says, by object, why a record must not be saved over something newer that this device has and has not merged yet (rule A37), as text
   * for the user. A guard that fails, or takes longer than 5 seconds, keeps nobody from saving. @defaultValue none
   */
  readonly guards?: SaveGuards<S>;
  /** How often to ask for news, in milliseconds; a server can ask for more time. @defaultValue 30_000 */
  readonly pollIntervalMs?: number;
  /**
   * Looks at what this device holds, such as for support in the user's name: nothing is sent or asked for, and whatever would change
   * something fails with `CLIENT_READ_ONLY`. @defaultValue false
   */
  readonly readOnly?: boolean;
  /**
   * The Wasm core, where the one that the package carries inside will not do: its bytes, the compiled module, or its URL.
   *
   * @defaultValue the one inside
   */
  readonly wasm?: BufferSource | WebAssembly.Module | URL | string;
}

/**
 * @internal
 *
 * Reads the options of a client: checks them, and parts plain data from functions and adapters.
 *
 * @throws {@link SyncFault} `OPTION_INVALID` naming the option
 */
export function readClientOptions(options: PlainOptions): { readonly plan: EnginePlan; readonly parts: EngineParts } {
  const { schema, user, tenant = '', storage, transport, pollIntervalMs, readOnly = false, wasm, guards = {} } = options;
  if (typeof schema?.hash !== 'string') throw invalid('schema', 'must be made with defineSchema');
  if (typeof user !== 'string' || user === '') throw invalid('user', 'must name the user, as text');
  if (typeof tenant !== 'string') throw invalid('tenant', 'must be text');
  if (typeof storage?.open !== 'function') throw invalid('storage', 'must be a storage adapter, such as indexedDb({ name })');
  if (typeof transport !== 'object' || transport === null) throw invalid('transport', 'must be { url } or a transport adapter');
  checkDuration('pollIntervalMs', pollIntervalMs);
  if (typeof readOnly !== 'boolean') throw invalid('readOnly', 'must be true or false');
  if (Object.values(guards).some((guard) => typeof guard !== 'function')) throw invalid('guards', 'must be functions by object');
  const server = 'send' in transport ? null : transport;
  const plan: EnginePlan = {
    schema: { version: schema.version, objects: schema.objects, hash: schema.hash },
    user,
    tenant,
    lifecycle: readPageLifecycle(),
    http: server === null ? null : readServer(server),
    storage: storage.descriptor ?? null,
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
    ...(storage.sharedAs === undefined ? {} : { sharedAs: storage.sharedAs }),
    ...(readOnly ? { readOnly } : {}),
    guards: Object.keys(guards),
    ...(wasm === undefined ? {} : { wasm: readWasm(wasm) }),
  };
  const parts: EngineParts = {
    storage,
    ...('send' in transport ? { transport } : {}),
    ...(server?.token === undefined ? {} : { token: server.token }),
    guard: async (object, question) => (guards as Guards)[object]!(question),
  };
  return { plan, parts };
}

/** The options of any schema: each guard takes the records of its own. */
type PlainOptions = Omit<ClientOptions<Schema>, 'guards'> & { readonly guards?: Readonly<Record<string, ((input: never) => unknown) | undefined>> };

type Guards = Readonly<Record<string, (question: GuardQuestion) => string | undefined>>;

function readServer({ url, token, headers, timeoutMs }: HttpServer): HttpTarget {
  checkDuration('transport.timeoutMs', timeoutMs);
  if (token !== undefined && typeof token !== 'function') throw invalid('transport.token', 'must be a function that gives the token');
  const absolute = typeof url === 'string' && !/[?#]/.test(url) ? resolveUrl(url) : null;
  if (absolute === null) throw invalid('transport.url', 'must be the base URL of the server, without a query');
  return {
    url: absolute,
    hasToken: token !== undefined,
    ...(headers === undefined ? {} : { headers }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

// A worker made from a Blob has no address that anything could be relative to.
function readWasm(wasm: NonNullable<ClientOptions<Schema>['wasm']>): CoreSource {
  if (typeof wasm !== 'string' && !(wasm instanceof URL)) return wasm;
  const absolute = resolveUrl(String(wasm));
  if (absolute === null) throw invalid('wasm', 'must be a URL, the bytes, or the compiled module');
  return absolute;
}

function checkDuration(option: string, ms: number | undefined): void {
  if (ms !== undefined && !(typeof ms === 'number' && ms > 0)) throw invalid(option, 'must be a number of milliseconds above 0');
}

/** @internal */
export function invalid(option: string, problem: string): SyncFault {
  return new SyncFault('OPTION_INVALID', `${option} ${problem}`, { details: { option } });
}
