import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { HEADERS } from '../../src/protocol/messages.ts';
import { memoryHintBus, type HintBus } from '../../src/server/index.ts';
import type { NodeRequest, NodeResponse } from '../../src/server/http/node.ts';
import { createWorld, settle } from './harness.ts';

/** A bus that says how many listen on it. */
function countingBus(): { readonly bus: HintBus; readonly listening: () => number } {
  const inner = memoryHintBus();
  let listening = 0;
  return {
    listening: () => listening,
    bus: {
      ...inner,
      subscribe(tenant, user, onHint) {
        const stop = inner.subscribe(tenant, user, onHint);
        listening++;
        return () => {
          listening--;
          stop();
        };
      },
    },
  };
}

/** A host that takes its time to say who it is. */
function slowHost(): { readonly authenticate: () => Promise<{ user: string }>; readonly answer: () => Promise<void> } {
  let tell = (): void => {};
  const answered = new Promise<void>((resolve) => (tell = resolve));
  return {
    authenticate: async () => {
      await answered;
      return { user: 'ann' };
    },
    async answer() {
      tell();
      await settle();
    },
  };
}

const headers = { authorization: 'ann', [HEADERS.protocol]: '1', [HEADERS.store]: 's1', [HEADERS.attempt]: 'a1' };

class FakeResponse extends EventEmitter {
  status = 0;
  destroyed = false;
  isEnded = false;
  writeHead(status: number): void {
    this.status = status;
  }
  write(): boolean {
    return true;
  }
  end(): void {
    this.isEnded = true;
  }
}

function fakeRequest(): NodeRequest {
  return Object.assign(new EventEmitter(), { method: 'GET', url: '/sync/hints', headers, complete: true, resume: () => {} });
}

describe('a stream of hints', () => {
  test('whose device went away while its answer was made gives its place back', async () => {
    const { bus, listening } = countingBus(), host = slowHost();
    const { server } = createWorld({ hints: bus, authenticate: host.authenticate, maxConcurrent: { hints: 1 } });
    const gone = new FakeResponse(), later = new FakeResponse();
    server.nodeListener(fakeRequest(), gone as unknown as NodeResponse);
    gone.destroyed = true;
    gone.emit('close');
    await host.answer();
    expect(listening()).toBe(0);
    server.nodeListener(fakeRequest(), later as unknown as NodeResponse);
    await settle();
    expect([later.status, listening()]).toEqual([200, 1]);
    later.emit('close');
    expect(listening()).toBe(0);
  });

  test('gives it back too where the server has the web\'s own requests', async () => {
    const { bus, listening } = countingBus(), host = slowHost();
    const { server } = createWorld({ hints: bus, authenticate: host.authenticate, maxConcurrent: { hints: 1 } });
    const leaving = new AbortController();
    const first = server.fetch(new Request('http://sync.example/sync/hints', { headers, signal: leaving.signal }));
    leaving.abort();
    await host.answer();
    await first;
    expect(listening()).toBe(0);
    const staying = new AbortController();
    const response = await server.fetch(new Request('http://sync.example/sync/hints', { headers, signal: staying.signal }));
    expect([response.status, listening()]).toEqual([200, 1]);
    staying.abort();
    expect(listening()).toBe(0);
  });

  test('that was asked for before the server closed, and opened after, ends at once', async () => {
    const { bus, listening } = countingBus(), host = slowHost();
    const { server } = createWorld({ hints: bus, authenticate: host.authenticate });
    const response = new FakeResponse();
    server.nodeListener(fakeRequest(), response as unknown as NodeResponse);
    const closing = server.close();
    await host.answer();
    await closing;
    expect([response.isEnded, listening()]).toEqual([true, 0]);
  });
});
