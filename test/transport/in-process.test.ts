import { describe, expect, test } from 'vitest';
import { describeTransportAdapter } from '../../src/testing/describe-transport-adapter.ts';
import { inProcess } from '../../src/transport/in-process.ts';

describeTransportAdapter({
  name: 'in process',
  describe,
  test,
  connect: (server) => ({ transport: inProcess({ handle: server }) }),
  connectNowhere: () => ({ transport: inProcess({ handle: () => Promise.reject(new TypeError('no server')) }) }),
});

describe('the in-process transport', () => {
  test('shows the server the base URL it was given', async () => {
    const transport = inProcess({ url: 'https://api.example.com/sync', handle: async (request) => new Response(request.url) });
    const { body } = await transport.send({ method: 'GET', path: 'feed?cursor=1', headers: {} });
    expect(new TextDecoder().decode(body)).toBe('https://api.example.com/sync/feed?cursor=1');
  });

  test('sends a token like the HTTP transport', async () => {
    const transport = inProcess({ token: () => 'secret', handle: async (request) => new Response(request.headers.get('authorization')) });
    const { body } = await transport.send({ method: 'GET', path: 'feed', headers: {} });
    expect(new TextDecoder().decode(body)).toBe('Bearer secret');
  });

  test('hands the server a signal that tells of an abort', async () => {
    const controller = new AbortController();
    const aborted = new Promise((resolve) => {
      const transport = inProcess({
        handle: (request) => {
          request.signal.addEventListener('abort', resolve);
          controller.abort();
          return new Promise(() => {});
        },
      });
      transport.send({ method: 'GET', path: 'feed', headers: {}, signal: controller.signal }).catch(() => {});
    });
    await aborted;
  });
});
