import { hashBytes, utf8 } from '../../src/shared/bytes.ts';

/** What happened in a run, in order: enough of it to see why a seed failed, and a hash of all of it to see that a seed repeats itself. */
export interface Trace {
  /** Virtual time comes from here on. */
  start(elapsed: () => number): void;
  /** Notes what someone did or met. */
  note(who: string, what: string, ...details: readonly unknown[]): void;
  /** Nothing that happens from now on is noted: what counts has happened. */
  end(): void;
  /** The last lines, oldest first. */
  tail(lines: number): readonly string[];
  /** Names the whole run; `null` unless it was asked for. */
  hash(): string | null;
}

export interface TraceOptions {
  /** Lines to keep. @defaultValue 400 */
  readonly keep?: number;
  /** @defaultValue false */
  readonly isHashed?: boolean;
  /** Prints each line at once. */
  readonly print?: (line: string) => void;
}

type Note = readonly [at: number, who: string, what: string, details: readonly unknown[]];

/** Makes a trace. Lines are put into words only when somebody reads them. */
export function createTrace({ keep = 400, isHashed = false, print }: TraceOptions = {}): Trace {
  const kept: Note[] = [];
  let elapsed = (): number => 0;
  let count = 0;
  let hash = '';
  let isOver = false;
  return {
    start: (time) => void (elapsed = time),
    end: () => void (isOver = true),
    note(who, what, ...details) {
      if (isOver) return;
      const note: Note = [elapsed(), who, what, details];
      kept[count++ % keep] = note;
      if (isHashed) hash = hashBytes(utf8(hash + inWords(note)));
      print?.(inWords(note));
    },
    tail: (lines) => [...kept.slice(count % keep), ...kept.slice(0, count % keep)].slice(-lines).map(inWords),
    hash: () => (isHashed ? hash : null),
  };
}

function inWords([at, who, what, details]: Note): string {
  const words = details.map((detail) => (typeof detail === 'string' ? detail : JSON.stringify(detail))).filter((word) => word !== '');
  return `${(at / 1_000).toFixed(3).padStart(12)}  ${who.padEnd(6)}  ${what} ${words.join(' ')}`.trimEnd();
}
