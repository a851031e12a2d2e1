/**
 * Runs in a device's worker before the SDK: makes its requests feel the connection that the page chose. Offline cuts what is under way,
 * as walking out of the building does, so answers can be lost for real.
 */
import { createLineHolder } from './hold-back.ts';
import { networkChannel, SLOW_MS, type Connection, type NetworkMode } from './network.ts';

/** A device's worker is named after it. */
const workerName = (globalThis as unknown as { readonly name: string }).name;
const sendNow = globalThis.fetch.bind(globalThis);
const channel = new BroadcastChannel(networkChannel(workerName));
const asked = new URLSearchParams(globalThis.location.search);
const holder = createLineHolder();
holder.isHolding = asked.has('holds-back');
let mode = (asked.get('network') ?? 'online') as NetworkMode;
let connection = new AbortController();

channel.addEventListener('message', ({ data }: MessageEvent<Connection>) => {
  mode = data.mode;
  holder.isHolding = data.holdsBack;
  if (mode === 'offline') {
    connection.abort();
    connection = new AbortController();
  }
});

globalThis.fetch = async (input, init = {}) => {
  const { signal: cut } = connection;
  const signal = init.signal ? AbortSignal.any([init.signal, cut]) : cut;
  try {
    if (mode === 'offline') throw unreachable();
    await travel(signal);
    const response = await sendNow(input, { ...init, signal });
    await travel(signal);
    return await holder.pass(new URL(input instanceof Request ? input.url : input, globalThis.location.href), response);
  } catch (thrown) {
    throw cut.aborted ? unreachable() : thrown;
  }
};

/** Takes as long as the way does, in one direction. */
async function travel(signal: AbortSignal): Promise<void> {
  if (mode !== 'slow') return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, SLOW_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** What a browser says when there is no network. */
function unreachable(): TypeError {
  return new TypeError('Failed to fetch');
}
