import type { Core } from '../core/core.ts';
import type { ProtocolLimits } from '../protocol/limits.ts';
import type { Clock } from '../shared/clock.ts';
import type { Random } from '../shared/random.ts';
import type { AfterCommitHook, PrepareHook } from './around-hooks.ts';
import type { RowArchive } from './row-archive.ts';
import type { AnyObjectHooks } from './save-hooks.ts';
import type { ServerRules } from './server-rules.ts';
import type { ServerSchema } from './server-schema.ts';
import type { ServerStore } from './store/server-store.ts';
import type { Visibility } from './visibility.ts';

/** Something worth a line in the host's log. It never carries a field's value or a token. */
export interface ServerLogEvent {
  /** `error`: a request or an entry failed. `warning`: something was left undone and is tried again. */
  readonly level: 'info' | 'warning' | 'error';
  /** A stable name, such as `'hook:failed'`. */
  readonly event: string;
  /** A sentence for the log. */
  readonly message: string;
  /** What was thrown. It may quote values: mind where it is written. */
  readonly cause?: unknown;
}

/** What the endpoints of one server share. */
export interface ServerParts {
  readonly schema: ServerSchema;
  readonly core: Core;
  readonly store: ServerStore;
  readonly archive: RowArchive;
  readonly visibility: Visibility;
  readonly hooks: ReadonlyMap<string, AnyObjectHooks>;
  readonly hookTimeoutMs: number;
  readonly prepare: PrepareHook | null;
  readonly prepareTimeoutMs: number;
  readonly afterCommit: AfterCommitHook | null;
  readonly afterCommitTimeoutMs: number;
  /** Lets work go on that no answer waits for; the server waits for it when it closes. */
  readonly runAside: (work: Promise<void>) => void;
  readonly hasStrictReferences: boolean;
  readonly limits: ProtocolLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly retentionMs: number;
  readonly rules: ServerRules;
  readonly log: (event: ServerLogEvent) => void;
}
