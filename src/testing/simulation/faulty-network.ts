import type { SyncRequest, SyncResponse } from '../../server/sync-request.ts';
import { copyBytes, utf8 } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from '../../transport/transport-adapter.ts';
import { carryHints, type HintFaults } from './faulty-hints.ts';
import type { Faults } from './faults.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What happens to one request, for traces. */
export interface NetworkEvent {
  readonly device: string;
  /** Counts the requests of the network from 1. */
  readonly request: number;
  readonly path: string;
  readonly what: 'sent' | 'reached-server' | 'repeated' | 'answered' | 'failed';
  /** The status answered, or the fault. */
  readonly detail: string;
}

export interface FaultyNetworkOptions {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** Read anew for each request, so they may change in the course of a run. */
  readonly faults: () => Faults;
  /** Hands a request to the server; `null` when the connection broke before an answer. */
  readonly exchange: (request: SyncRequest) => Promise<SyncResponse | null>;
  /** What happens to hints, and the life that the server is in. @defaultValue there are none */
  readonly hints?: { readonly faults: HintFaults; readonly serverLife: () => number } | undefined;
  /** Mean time that a request takes one way, in milliseconds. @defaultValue 40 */
  readonly latencyMs?: number;
  readonly onEvent?: (event: NetworkEvent) => void;
  /** Hears what the server itself answered, whether or not that comes through. */
  readonly onAnswer?: (device: string, path: string, response: SyncResponse) => void;
}

/** A device's end of the network. */
export interface NetworkEnd {
  readonly device: string;
  readonly token: string;
  isConnected(): boolean;
  /** A device that is gone sends nothing and hears nothing. What it had sent is still on its way. */
  isAlive(): boolean;
}

/** A network between devices and one server. */
export interface FaultyNetwork {
  /** Requests sent so far. */
  readonly requests: number;
  connect(end: NetworkEnd): TransportAdapter;
}

/** How long a device waits for an answer. */
const TIMEOUT_MS = 30_000;
const ANSWERS_CACHED = 12;

/** Makes a network with faults in it. A client has one request under way for each of its purposes; whatever arrives twice is the network's doing. */
export function createFaultyNetwork(options: FaultyNetworkOptions): FaultyNetwork {
  const { time, random, faults, exchange, latencyMs = 40, onEvent = () => {}, onAnswer = () => {} } = options;
  const hintRandom = random.fork('hints');
  const cached = new Map<string, TransportResponse[]>();
  let requests = 0;

  function oneWay(): number {
    return random.exponential(latencyMs) + (random.chance(faults().delays) ? random.exponential(12_000) : 0);
  }

  async function deliver(end: NetworkEnd, request: TransportRequest): Promise<TransportResponse | null> {
    const response = await exchange(toServer(request, end.token));
    if (response === null) return null;
    onAnswer(end.device, request.path, response);
    return fromServer(response);
  }

  function remember(device: string, response: TransportResponse): void {
    const answers = cached.get(device) ?? [];
    answers.push(response);
    if (answers.length > ANSWERS_CACHED) answers.shift();
    cached.set(device, answers);
  }

  /** What comes back: later, and not always what the server said. */
  function carry(end: NetworkEnd, request: TransportRequest, arrive: Arrive): void {
    const rates = faults();
    if (random.chance(rates.lostRequests)) return arrive.lose();
    if (random.chance(rates.refusedTokens)) return arrive.answer(oneWay() + oneWay(), plain(401, 'sign in'));
    if (random.chance(rates.captivePortals)) return arrive.answer(oneWay(), CAPTIVE_PORTAL);
    const stale = cached.get(end.device);
    if (stale !== undefined && random.chance(rates.staleAnswers)) return arrive.answer(oneWay(), random.pick(stale));
    const gatewayStatus = random.chance(rates.gatewayErrors) ? random.pick([500, 502, 503, 504]) : null;
    if (gatewayStatus !== null && random.chance(0.5)) return arrive.answer(oneWay(), plain(gatewayStatus, 'gateway', random.chance(0.3) ? { 'retry-after': String(random.integer(1, 20)) } : {}));

    const isAnswerLost = random.chance(rates.lostAnswers);
    const cutAt = random.chance(rates.truncatedAnswers) ? random.next() : null;
    if (random.chance(rates.repeatedRequests)) {
      time.after(oneWay() + (random.chance(0.25) ? random.exponential(600_000) : random.exponential(300)), () => {
        arrive.note('repeated', '');
        void deliver(end, request);
      });
    }
    time.after(oneWay(), () => {
      arrive.note('reached-server', '');
      void deliver(end, request).then((response) => {
        if (response === null || isAnswerLost) return arrive.lose();
        remember(end.device, response);
        if (gatewayStatus !== null) return arrive.answer(oneWay(), plain(gatewayStatus, 'gateway'));
        return arrive.answer(oneWay(), cutAt === null ? response : { ...response, body: response.body.slice(0, Math.floor(response.body.length * cutAt)) });
      });
    });
  }

  return {
    get requests() {
      return requests;
    },
    connect(end) {
      const { hints } = options;
      return {
        ...(hints && { hints: (request, onHint) => carryHints({ time, random: hintRandom, latencyMs, exchange, ...hints }, end, toServer(request, end.token), request, onHint) }),
        send(request) {
          const number = ++requests;
          const path = request.path;
          const note = (what: NetworkEvent['what'], detail: string): void => onEvent({ device: end.device, request: number, path, what, detail });
          note('sent', '');
          return new Promise((resolve, reject) => {
            let isOver = false;
            const over = (what: 'answered' | 'failed', detail: string, settle: () => void): void => {
              if (isOver) return;
              isOver = true;
              cancelDeadline();
              request.signal?.removeEventListener('abort', abort);
              note(what, detail);
              if (end.isAlive()) settle();
            };
            const fail = (code: 'TRANSPORT_UNREACHABLE' | 'TRANSPORT_TIMEOUT' | 'TRANSPORT_ABORTED'): void =>
              over('failed', code, () => reject(new SyncFault(code, `${request.method} ${path.split('?', 1)[0]!} failed (injected)`)));
            const abort = (): void => fail('TRANSPORT_ABORTED');
            const cancelDeadline = time.after(TIMEOUT_MS, () => fail('TRANSPORT_TIMEOUT'));
            if (request.signal?.aborted === true) return abort();
            request.signal?.addEventListener('abort', abort);
            if (!end.isConnected()) return void time.after(random.exponential(20), () => fail('TRANSPORT_UNREACHABLE'));
            carry(end, request, {
              note,
              // Half of the broken connections show at once, the others only by their silence.
              lose: () => void (random.chance(0.5) && time.after(oneWay(), () => fail('TRANSPORT_UNREACHABLE'))),
              answer: (delayMs, response) =>
                void time.after(delayMs, () => {
                  if (end.isConnected()) over('answered', String(response.status), () => resolve({ ...response, body: copyBytes(response.body) }));
                }),
            });
          });
        },
      };
    },
  };
}

interface Arrive {
  note(what: NetworkEvent['what'], detail: string): void;
  lose(): void;
  answer(delayMs: number, response: TransportResponse): void;
}

function toServer({ method, path, headers, body }: TransportRequest, token: string): SyncRequest {
  const [name, query = ''] = path.split('?', 2) as [string, string?];
  return {
    method,
    path: `/${name}`,
    query: query === '' ? {} : Object.fromEntries(new URLSearchParams(query)),
    headers: { ...headers, authorization: `Bearer ${token}` },
    body: () => Promise.resolve(body === undefined ? new Uint8Array() : copyBytes(body)),
  };
}

function fromServer({ status, headers, body }: SyncResponse): TransportResponse {
  return { status, headers, body: body === null ? new Uint8Array() : copyBytes(body) };
}

const CAPTIVE_PORTAL = plain(200, '<!doctype html><title>Welcome</title><p>Accept the terms to go online.', { 'content-type': 'text/html; charset=utf-8' });

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = { 'content-type': 'text/plain' }): TransportResponse {
  return { status, headers, body: utf8(text) };
}
