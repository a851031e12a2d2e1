import { PATHS } from '../../../src/protocol/messages.ts';
import type { Rule } from './violation.ts';

/** Holds devices to when they may read the feed: never once they know that they are out of sight, or without a network (rule A33). */
export class Polls {
  readonly #fail: (rule: Rule, message: string) => void;
  /** How often each device was told that it may talk. */
  readonly #turns = new Map<string, number>();
  /** Devices that know why they have to be silent. */
  readonly #silent = new Map<string, string>();

  constructor(fail: (rule: Rule, message: string) => void) {
    this.#fail = fail;
  }

  /** A device is told to be silent; it knows of it once the returned function is called, unless it was told otherwise meanwhile. */
  silence(device: string, why: 'in the background' | 'offline'): () => void {
    const turn = this.#turns.get(device);
    return () => void (turn === this.#turns.get(device) && this.#silent.set(device, why));
  }

  /** A device is told that it may talk, or begins anew. */
  release(device: string): void {
    this.#turns.set(device, (this.#turns.get(device) ?? 0) + 1);
    this.#silent.delete(device);
  }

  /** A device sends a request. */
  sent(device: string, path: string): void {
    const why = this.#silent.get(device);
    if (why !== undefined && path.split('?', 1)[0] === PATHS.feed) this.#fail('polling', `${device} reads the feed ${why}`);
  }
}
