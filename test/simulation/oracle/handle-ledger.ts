import type { HandleView } from '../../../src/client/handles/handle.ts';
import { DEVICE_FIELDS, type Values } from '../crm.ts';
import { isSame } from './online-history.ts';
import type { Save } from './saves.ts';
import type { Rule } from './violation.ts';

/** A record that somebody has open on a device. */
export interface OpenHandle {
  readonly handle: number;
  readonly key: string;
  /** Who led its group when it was opened. */
  readonly header: string | null;
  /** What it shows. */
  shown: Values;
  /** Fields of own saves of the record that waited at some time since it was opened. */
  readonly own: Set<string>;
  /** An own save of the record was answered. */
  hasAnswer: boolean;
  /** The person asks for what is newer: until the answer, anything may change. */
  isRenewing: boolean;
}

export interface HandleLedgerOptions {
  readonly savesOf: (key: string) => readonly Save[];
  readonly fail: (rule: Rule, message: string) => void;
}

/** Rules A27, A36, A38: what is open on a device, and that nothing changes under the eyes of whoever looks at it. */
export class HandleLedger {
  readonly #options: HandleLedgerOptions;
  readonly #open = new Map<number, OpenHandle>();
  /** Left by their users. Until its leaving has its turn, a handle tells of what it shows, and what was saved through it before begins from that. */
  readonly #closed = new Map<number, OpenHandle | null>();

  constructor(options: HandleLedgerOptions) {
    this.#options = options;
  }

  get all(): readonly OpenHandle[] {
    return [...this.#open.values()];
  }

  /** Whether somebody has a record, or another one of its group, open. */
  holds(key: string, headers: ReadonlySet<string>): boolean {
    return this.all.some((open) => !open.isRenewing && (open.key === key || (open.header !== null && headers.has(open.header))));
  }

  /** A handle tells what it shows: for the first time, or anew. */
  show({ handle, record }: HandleView, header: string | null): void {
    const key = `${record.object}/${record.id}`;
    const open = this.#open.get(handle) ?? this.#closed.get(handle);
    if (open === null) return;
    if (open === undefined) {
      this.#open.set(handle, { handle, key, header, shown: record.values, own: new Set(), hasAnswer: false, isRenewing: false });
      return this.noteSaves();
    }
    this.noteSaves();
    for (const field of Object.keys(record.values)) {
      if (isSame(open.shown[field], record.values[field]) || open.isRenewing) continue;
      const isServers = !DEVICE_FIELDS[record.object]!.includes(field);
      if (!open.own.has(field) && !(isServers && open.hasAnswer)) {
        this.#options.fail('in-use', `${field} of ${key} became ${JSON.stringify(record.values[field])} of ${JSON.stringify(open.shown[field])} under the eyes of its user`);
      }
    }
    open.shown = record.values;
  }

  /** A commit was taken: own saves came, or were answered. */
  noteSaves(answered: readonly Save[] = []): void {
    for (const open of [...this.#open.values(), ...this.#closed.values()]) {
      if (open === null) continue;
      for (const save of [...this.#options.savesOf(open.key), ...answered]) {
        const member = save.members.find(({ key }) => key === open.key);
        for (const field of member?.fields.keys() ?? []) open.own.add(field);
        if (member !== undefined && answered.includes(save)) open.hasAnswer = true;
      }
    }
  }

  /** The person asks for what is newer. Answers a function that ends that. */
  renew(handle: number): () => void {
    const open = this.#open.get(handle);
    if (open === undefined) return () => {};
    open.isRenewing = true;
    return () => void (open.isRenewing = false);
  }

  /** The person leaves. */
  close(handle: number): void {
    this.#closed.set(handle, this.#open.get(handle) ?? this.#closed.get(handle) ?? null);
    this.#open.delete(handle);
  }

  /** The page is gone, and with it all that was open. */
  forget(): void {
    this.#open.clear();
    this.#closed.clear();
  }
}
