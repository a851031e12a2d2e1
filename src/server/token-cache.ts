import { utf8 } from '../shared/bytes.ts';
import type { Clock } from '../shared/clock.ts';
import { platformSha256 } from '../shared/platform.ts';
import { sha256 } from '../shared/sha256.ts';
import { identify, type Authenticate, type Principal } from './principal.ts';
import type { SyncRequest } from './sync-request.ts';

/** How long the host's answer to a token counts, and for which requests. */
export interface AuthCacheOptions {
  /**
   * How long an answer of `authenticate` counts for other requests with the same headers, in milliseconds: so long may a token that was
   * taken back still be used. Checking a token can cost far more than a poll. @defaultValue 0, each request is asked for
   */
  readonly forMs?: number;
  /**
   * The headers that `authenticate` looks at, in lower case; it may look at nothing else of a request then, or users get each other's answers.
   * @defaultValue ['authorization'] */
  readonly headers?: readonly string[];
  /** The most answers that are kept, about 400 bytes each. @defaultValue 100_000 */
  readonly most?: number;
}

/** Says who sent a request. @throws SyncFault `AUTH_REQUIRED`, `AUTH_REFUSED`, `SERVER_BUSY` */
export type Identifier = (request: SyncRequest) => Promise<Principal> | Principal;

interface Known {
  readonly principal: Principal;
  readonly until: number;
}

/** Makes an {@link Identifier} that asks the host, and remembers what it said if that is wanted. Refusals are never remembered. */
export function createIdentifier(authenticate: Authenticate, clock: Clock, { forMs = 0, headers: names = ['authorization'], most = 100_000 }: AuthCacheOptions = {}): Identifier {
  if (forMs <= 0) return (request) => identify(authenticate, request, clock);
  const known = new Map<string, Known>();
  const hash = platformSha256() ?? hashHere;

  async function ask(request: SyncRequest, key: string): Promise<Principal> {
    const principal = await identify(authenticate, request, clock);
    // Shared by requests from now on: no hook of one may change what the next one sees.
    Object.freeze(principal.claims);
    known.delete(key);
    for (const oldest of known.keys()) {
      if (known.size < most) break;
      known.delete(oldest);
    }
    known.set(key, { principal: Object.freeze(principal), until: clock.monotonic() + forMs });
    return principal;
  }

  return (request) => {
    const text = textOf(request, names);
    if (text === null) return identify(authenticate, request, clock);
    // A hash, so that no token stays in memory.
    const key = hash(text);
    const found = known.get(key);
    return found !== undefined && clock.monotonic() < found.until ? found.principal : ask(request, key);
  };
}

/** `null` where there is no header to go by. */
function textOf({ headers }: SyncRequest, names: readonly string[]): string | null {
  if (names.length === 1) return headers[names[0]!] ?? null;
  const values = names.map((name) => headers[name] ?? null);
  return values.every((value) => value === null) ? null : JSON.stringify(values);
}

function hashHere(text: string): string {
  return String.fromCharCode(...sha256(utf8(text)));
}
