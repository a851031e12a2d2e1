import type { Clock } from '../shared/clock.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Cutoff } from './cutoff.ts';

/** How long a stream of hints may be silent, in milliseconds: servers write twice a minute at least, and what is cut off often says nothing. */
export const MOST_SILENCE_MS = 75_000;

/** Notices when nothing comes any more. */
export interface SilenceWatch {
  /** Something came. */
  heard(): void;
  /** Stops watching. */
  stop(): void;
}

/** Cuts a stream off once it has been silent for too long; its opening counts too. */
export function watchSilence(cutoff: Cutoff, clock: Pick<Clock, 'setTimer'>): SilenceWatch {
  const onSilence = (): void => cutoff.cut(new SyncFault('TRANSPORT_TIMEOUT', `GET hints was silent for ${MOST_SILENCE_MS} ms`, { details: { timeoutMs: MOST_SILENCE_MS } }));
  let cancel = clock.setTimer(MOST_SILENCE_MS, onSilence);
  return {
    heard() {
      cancel();
      cancel = clock.setTimer(MOST_SILENCE_MS, onSilence);
    },
    stop: () => cancel(),
  };
}

/** Says whether a response is a stream of server-sent events that can be read as it comes. */
export function isEventStream(response: Response): boolean {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';', 1);
  return response.status === 200 && response.body !== null && response.body !== undefined && type.trim().toLowerCase() === 'text/event-stream';
}

/** Reads a stream to its end, and calls back for each event that it holds. */
export async function readHints(response: Response, cutoff: Cutoff, silence: SilenceWatch, onHint: () => void): Promise<void> {
  const reader = response.body!.getReader();
  const events = createEventReader(onHint);
  try {
    for (;;) {
      const { done, value } = await cutoff.race(reader.read());
      if (done) return;
      silence.heard();
      events.read(value);
    }
  } finally {
    // Not awaited: a stream that is broken already may never say that it stopped.
    reader.cancel().catch(() => {});
  }
}

const LF = 10, CR = 13;
const DATA = 'data';

/** Finds events: lines of which one begins with `data`, and an empty line. What they say is not looked at, and so never kept. */
export function createEventReader(onEvent: () => void): { read(chunk: Uint8Array): void } {
  let start = '';
  let isEmpty = true, hasData = false, wasReturn = false;

  function endLine(): void {
    if (!isEmpty) hasData ||= start === DATA || start === `${DATA}:`;
    else if (hasData) {
      hasData = false;
      onEvent();
    }
    start = '';
    isEmpty = true;
  }

  return {
    read(chunk) {
      for (const byte of chunk) {
        const isSecondOfPair = byte === LF && wasReturn;
        wasReturn = byte === CR;
        if (isSecondOfPair) continue;
        if (byte === LF || byte === CR) {
          endLine();
          continue;
        }
        isEmpty = false;
        if (start.length <= DATA.length) start += String.fromCharCode(byte);
      }
    },
  };
}
