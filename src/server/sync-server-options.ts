import type { Core } from '../core/core.ts';
import type { ProtocolLimits } from '../protocol/messages.ts';
import type { ObjectName, Schema } from '../protocol/schema.ts';
import type { Clock } from '../shared/clock.ts';
import type { Random } from '../shared/random.ts';
import type { Authenticate } from './principal.ts';
import type { ObjectHooks } from './save-hooks.ts';
import type { ServerLogEvent } from './server-parts.ts';
import type { ServerRules } from './server-rules.ts';
import type { ServerStore } from './store/server-store.ts';
import type { CanSee } from './visibility.ts';

/** How to make a sync server. */
export interface SyncServerOptions<S extends Schema = Schema> {
  readonly schema: S;
  readonly store: ServerStore;
  readonly authenticate: Authenticate;
  /** The host's save logic, by object (rule A25). */
  readonly objects?: { readonly [O in ObjectName<S>]?: ObjectHooks<S, O> };
  /** Says which records a user may see. @defaultValue all of the tenant's */
  readonly canSee?: CanSee;
  /** Refuses references to records that do not exist; those to a parent always must. @defaultValue false */
  readonly strictReferences?: boolean;
  /** Part of the path before the endpoint, such as `/api/sync`; other paths are not found. @defaultValue any */
  readonly basePath?: string;
  /** @defaultValue `DEFAULT_LIMITS` of the protocol */
  readonly limits?: Partial<ProtocolLimits>;
  /** How long entries stay on feeds, in milliseconds (rule A31). @defaultValue 604_800_000, seven days */
  readonly retentionMs?: number;
  /** How long receipts are kept, in milliseconds; longer than any device's queue stays unsent. @defaultValue 7_776_000_000, ninety days */
  readonly receiptRetentionMs?: number;
  /** When devices poll next, in milliseconds (rule A33). @defaultValue null, each device's own interval */
  readonly nextPollMs?: number | null;
  /** How long one hook may take, in milliseconds. @defaultValue 10_000 */
  readonly hookTimeoutMs?: number;
  /** Hears what goes wrong. @defaultValue nobody */
  readonly log?: (event: ServerLogEvent) => void;
  /** @defaultValue the plain TypeScript core */
  readonly core?: Core;
  /** @defaultValue the platform's clock */
  readonly clock?: Clock;
  /** @defaultValue the platform's randomness */
  readonly random?: Random;
  /** @internal */
  readonly rules?: Partial<ServerRules>;
}
