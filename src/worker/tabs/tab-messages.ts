import type { WatchName } from '../../client/engine-calls.ts';
import type { Lifecycle } from '../../client/engine.ts';
import type { ThrownShape } from '../fault-transfer.ts';
import type { CallName } from './tab-engine.ts';

/** What is said to all tabs of a profile. */
export type TabNews =
  | { readonly kind: 'asked' }
  /** Somebody leads; until `isOpen` it is opening the store. */
  | { readonly kind: 'leads'; readonly leader: string; readonly isOpen: boolean; readonly schemaHash: string; readonly schemaVersion: number }
  /** The user has signed out of this device. */
  | { readonly kind: 'ended' };

/** What a tab says to the one that leads. Its messages are numbered, calls and watches by that number. */
export type TabRequest = { readonly tab: string; readonly number: number } & (
  | { readonly kind: 'call'; readonly name: CallName; readonly args: readonly unknown[] }
  | { readonly kind: 'watch'; readonly name: WatchName; readonly args: readonly unknown[] }
  | { readonly kind: 'unwatch'; readonly watch: number }
  | { readonly kind: 'lifecycle'; readonly isForeground: boolean; readonly change: Partial<Lifecycle> }
  | { readonly kind: 'ping' | 'leave' }
);

/** What the leader says to one tab; it names itself, for a tab that has gone on to another. */
export type TabAnswer = { readonly leader: string } & (
  | { readonly kind: 'answered'; readonly number: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly number: number; readonly thrown: ThrownShape }
  /** It is certain that nothing came of the call: the next leader can be asked. */
  | { readonly kind: 'declined'; readonly number: number }
  | { readonly kind: 'told'; readonly watch: number; readonly value: unknown }
  | { readonly kind: 'pong' }
  /** The leader is gone in good order; of this tab it has read messages up to that number. */
  | { readonly kind: 'left'; readonly number: number }
);

/** The name of a tab's own channel, and of the lock that it holds while it lives. */
export function tabName(name: string, tab: string): string {
  return `${name} ${tab}`;
}
