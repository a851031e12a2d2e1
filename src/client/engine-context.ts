import type { DeviceCore } from '../core/core.ts';
import type { FeedAnswer } from '../protocol/messages.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Clock } from '../shared/clock.ts';
import type { Random } from '../shared/random.ts';
import type { Serial } from '../shared/serial.ts';
import type { AnswerGate } from './network/answer-gate.ts';
import type { DownloadProgress } from './status.ts';
import type { SyncEvent } from './sync-event.ts';
import type { SavedMember } from './drafts/draft-rows.ts';
import type { Guard } from './queue/guard.ts';
import type { GroupPlaces } from './queue/groups.ts';
import type { LocalStore } from './store/local-store.ts';
import type { Parts } from './parts.ts';
import type { Records } from './read/records.ts';
import type { ClientRules } from './rules.ts';
import type { ServerLink } from './network/server-link.ts';
import type { TakenPage } from './network/take-page.ts';
import type { Meta } from './store/stored.ts';

/** What the parts of one open engine share. */
export interface EngineContext {
  readonly schema: Schema;
  /** The schema's transaction groups. */
  readonly places: GroupPlaces;
  readonly user: string;
  readonly core: DeviceCore;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: ClientRules;
  /** How long what came out of scope stays after a download without it, in milliseconds (rule A32). */
  readonly outOfScopeGraceMs: number;
  readonly store: LocalStore;
  readonly records: Records;
  /** Loads what is not needed at a start. */
  readonly parts: Parts;
  /** Steps that read and change the store run one after another; no request is made inside one. */
  readonly steps: Serial;
  /** Whatever brings images of records passes here. */
  readonly answers: AnswerGate;
  /** Looks at what waits of records before a save of them is queued (rule A37); there is one in a save that needs it. */
  readonly guard?: Guard;
  /** Tells those who have records open what became of own saves that the server has taken (rule A27). */
  readonly noteSaved: (saved: readonly SavedMember[]) => void;
  readonly emit: (event: SyncEvent) => void;
  /** Whether anybody hears of events: what is told of each of very many records need not be made for nobody. */
  readonly isHeard: () => boolean;
  readonly showProgress: (progress: DownloadProgress | null) => void;
}

/** What those share who talk to the server. */
export interface NetworkContext extends EngineContext {
  readonly link: ServerLink;
  /** Takes in large pages of the feed, while there are any. */
  readonly batch: { take: ((page: FeedAnswer, moved: Partial<Pick<Meta, 'cursor' | 'hasFeedGap'>>) => Promise<TakenPage | null>) | null };
}
