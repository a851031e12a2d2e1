import { isFault } from '../../shared/fault.ts';
import type { ServerParts } from '../server-parts.ts';
import { EntryDelayed } from './refusal.ts';
import type { Settled } from './settled.ts';

const RETRY_MS = 5_000;

/**
 * Answers that one entry could not be decided, so that those behind it are (rule A17): a hook failed, the host could not say who sees a
 * record, something that is stored cannot be read. A store that answers nobody comes out again: the device then repeats the whole request.
 */
export function undecided({ log }: Pick<ServerParts, 'log'>, thrown: unknown): Settled & { readonly outcome: 'tryLater' } {
  if (isFault(thrown) && thrown.code.startsWith('STORAGE_') && thrown.code !== 'STORAGE_CORRUPT') throw thrown;
  const isHook = thrown instanceof EntryDelayed;
  log({ level: 'error', event: isHook ? 'hook:failed' : 'save:failed', message: isHook ? thrown.message : 'an entry could not be saved', cause: thrown });
  return { outcome: 'tryLater', retryAfterMs: RETRY_MS, message: 'the server could not save this now' };
}
