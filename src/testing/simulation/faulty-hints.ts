import type { SyncRequest, SyncResponse } from '../../server/sync-request.ts';
import { SyncFault } from '../../shared/fault.ts';
import { MOST_SILENCE_MS } from '../../transport/hint-stream.ts';
import type { TransportRequest, TransportResponse } from '../../transport/transport-adapter.ts';
import type { NetworkEnd } from './faulty-network.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What happens to hints, each as a probability from 0 to 1. */
export interface HintFaults {
  /** Hints that never come. */
  readonly lost: number;
  /** Hints that come once more, later. */
  readonly repeated: number;
}

export interface HintWayOptions {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly faults: HintFaults;
  /** Mean time that a hint takes, in milliseconds. */
  readonly latencyMs: number;
  /** Hands a request to the server; `null` when it died before it answered. */
  readonly exchange: (request: SyncRequest) => Promise<SyncResponse | null>;
  /** Counts the lives of the server: a stream of one that is over says nothing more. */
  readonly serverLife: () => number;
}

/** Of a stream, all but hints are comments that keep it open. */
const HINT_BEGINS = 'd'.charCodeAt(0);

/** Holds a stream of hints open for a device, as a network in which what is sent may get lost or come twice. */
export function carryHints({ time, random, faults, latencyMs, exchange, serverLife }: HintWayOptions, end: NetworkEnd, request: SyncRequest, { signal }: TransportRequest, onHint: () => void): Promise<TransportResponse | null> {
  return new Promise((resolve, reject) => {
    let isOver = false, close = (): void => {}, cancelSilence = (): void => {};
    const over = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      cancelSilence();
      close();
      signal?.removeEventListener('abort', abort);
      if (end.isAlive()) settle();
    };
    const fail = (code: 'TRANSPORT_UNREACHABLE' | 'TRANSPORT_TIMEOUT' | 'TRANSPORT_ABORTED'): void => over(() => reject(new SyncFault(code, 'GET hints failed (injected)')));
    const abort = (): void => fail('TRANSPORT_ABORTED');
    const heard = (): void => {
      cancelSilence();
      cancelSilence = time.after(MOST_SILENCE_MS, () => fail('TRANSPORT_TIMEOUT'));
    };
    const bring = (delayMs: number, isHint: boolean): void =>
      void time.after(delayMs, () => {
        if (isOver || !end.isConnected() || !end.isAlive()) return;
        heard();
        if (isHint) onHint();
      });
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort);
    heard();
    if (!end.isConnected()) return void time.after(random.exponential(20), () => fail('TRANSPORT_UNREACHABLE'));
    time.after(random.exponential(latencyMs), () => {
      void exchange(request).then((response) => {
        if (isOver) return;
        if (response === null) return fail('TRANSPORT_UNREACHABLE');
        const { status, headers, stream } = response;
        if (stream === undefined) return over(() => resolve({ status, headers, body: response.body ?? new Uint8Array() }));
        const life = serverLife();
        close = stream({
          write(bytes) {
            if (life !== serverLife()) return;
            const isHint = bytes[0] === HINT_BEGINS;
            if (isHint && random.chance(faults.lost)) return;
            bring(random.exponential(latencyMs), isHint);
            if (isHint && random.chance(faults.repeated)) bring(random.exponential(5_000), true);
          },
          end: () => void time.after(random.exponential(latencyMs), () => over(() => resolve(null))),
        });
      });
    });
  });
}
