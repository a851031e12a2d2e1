import { isFault, SyncFault } from '../shared/fault.ts';

/** Why a token is asked for: for the first request, or because the server refused the last one. */
export interface TokenRequest {
  /** `refused`: the server answered 401 to the token given last, so give another one. */
  readonly reason: 'start' | 'refused';
}

/** Gives an access token; `null` when nobody is signed in. */
export type TokenProvider = (request: TokenRequest) => Promise<string | null> | string | null;

/** Keeps the token and asks for one only when it must: requests that need one at the same time share a single call of the provider. */
export interface TokenSource {
  /** The token to send. @throws SyncFault `AUTH_REQUIRED` when none is to be had. */
  current(): Promise<string>;
  /** The token to send now that `refused` was not accepted: a newer one if somebody got it meanwhile, else a fresh one. */
  renew(refused: string): Promise<string>;
}

/** Makes a {@link TokenSource} over a host's provider. */
export function createTokenSource(provider: TokenProvider): TokenSource {
  let held: string | null = null;
  let asking: Promise<string> | null = null;

  function ask(reason: TokenRequest['reason']): Promise<string> {
    asking = askProvider(provider, reason)
      .then((token) => (held = token))
      .finally(() => (asking = null));
    return asking;
  }

  return {
    current: async () => asking ?? held ?? ask('start'),
    renew: async (refused) => asking ?? (held !== null && held !== refused ? held : ask('refused')),
  };
}

async function askProvider(provider: TokenProvider, reason: TokenRequest['reason']): Promise<string> {
  let token: string | null;
  try {
    token = await provider({ reason });
  } catch (cause) {
    // A provider that could not reach its own server says so with a fault of ours; asking the user to sign in would not help then.
    throw isFault(cause) ? cause : new SyncFault('AUTH_REQUIRED', 'the token provider failed', { cause });
  }
  if (typeof token !== 'string' || token === '') throw new SyncFault('AUTH_REQUIRED', 'nobody is signed in');
  // Anything else would fail in `fetch`, where it looks like a missing network.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new SyncFault('AUTH_REQUIRED', 'the token does not fit in a header');
  return token;
}
