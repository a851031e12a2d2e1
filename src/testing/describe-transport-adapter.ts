import { utf8 } from '../shared/bytes.ts';
import type { TransportAdapter, TransportRequest } from '../transport/transport-adapter.ts';
import { assertEqual, assertFault, assertThat } from './assert.ts';
import { testWith, type SuiteRunner } from './suite-runner.ts';

/** A server as the suite writes it. Its requests come with the path that the transport was given, below any base. */
export type SuiteServer = (request: Request) => Promise<Response>;

/** What the suite must be told about a transport. */
export interface TransportSuiteOptions extends SuiteRunner {
  /** Names the transport in the report. */
  readonly name: string;
  /** Starts a server, and makes a transport to it. */
  readonly connect: (server: SuiteServer) => Promise<TransportConnection> | TransportConnection;
  /** Whether the transport has a `close`. @defaultValue true */
  readonly hasClose?: boolean;
  /** Makes a transport to where no server is. What is missing is reported as a skipped test. */
  readonly connectNowhere?: () => Promise<TransportConnection> | TransportConnection;
}

/** A transport that leads to the suite's server. */
export interface TransportConnection {
  /** What is tested; the suite closes it after each test. */
  readonly transport: TransportAdapter;
  /** Stops the server, when the test is over. */
  readonly disconnect?: () => Promise<void> | void;
}

/**
 * Registers the tests that every transport has to pass, under a runner of the host's choice: bytes arrive as they were sent, every
 * answer comes back whatever it is, and nothing but a SyncFault is ever thrown.
 */
export function describeTransportAdapter({ name, describe, test, connect, connectNowhere, hasClose = true }: TransportSuiteOptions): void {
  const runner = { describe, test };

  const testTo = (behaviour: string, server: SuiteServer, run: (transport: TransportAdapter) => Promise<void>) =>
    test(behaviour, async () => withConnection(await connect(server), run));

  describe(`transport adapter ${name}`, () => {
    testTo('carries method, path, query and headers', echoRequest, async (transport) => {
      const response = await transport.send({ ...GET, path: 'feed?cursor=a.1.2&limit=500&name=%C3%A9', headers: { 'fieldtide-store': 'store-1' } });
      assertEqual(
        JSON.parse(new TextDecoder().decode(response.body)),
        { method: 'GET', path: 'feed', query: '?cursor=a.1.2&limit=500&name=%C3%A9', store: 'store-1', hasBody: false },
        'what the server sees',
      );
    });

    testTo('carries a body there and back, byte for byte', echoBody, async (transport) => {
      for (const length of [1, 256, 1 << 20]) {
        const body = Uint8Array.from({ length }, (_, index) => index ^ (index >> 8));
        const response = await transport.send({ ...POST, body });
        assertEqual(response.body, body, `a body of ${length} bytes`);
      }
    });

    testTo('gives status, lower-case headers and body of any answer back, errors too', answerAsAsked, async (transport) => {
      for (const status of [200, 400, 403, 404, 413, 426, 429, 500, 503]) {
        const response = await transport.send({ ...GET, path: `status?${status}` });
        assertEqual([response.status, response.headers['x-mixed-case'], response.body], [status, 'Kept As Is', utf8('body')], `an answer ${status}`);
      }
    });

    testTo('gives an empty body for a 204', answerAsAsked, async (transport) => {
      const response = await transport.send({ ...GET, path: 'status?204' });
      assertEqual([response.status, response.body, response.headers['x-mixed-case']], [204, new Uint8Array(0), 'Kept As Is'], 'a 204');
    });

    const counted = countRequests();
    testTo('asks the server each time, never a cache', counted, async (transport) => {
      const answers = [await transport.send(GET), await transport.send(GET)].map((response) => new TextDecoder().decode(response.body));
      assertEqual(answers, ['1', '2'], 'two equal requests');
    });

    const turned = answerInReverse(10);
    testTo('keeps the answers of concurrent requests apart', turned, async (transport) => {
      const bodies = Array.from({ length: 10 }, (_, index) => utf8(`request ${index}`));
      const responses = await Promise.all(bodies.map((body) => transport.send({ ...POST, body })));
      assertEqual(responses.map((response) => response.body), bodies, 'each request has its own answer');
    });

    testTo('fails with TRANSPORT_ABORTED when it is aborted before it begins', countRequests(), async (transport) => {
      const controller = new AbortController();
      controller.abort();
      await assertFault(transport.send({ ...GET, signal: controller.signal }), 'TRANSPORT_ABORTED', 'a request that was aborted before');
      assertEqual(new TextDecoder().decode((await transport.send(GET)).body), '1', 'the aborted request was not sent, the next one was');
    });

    const silent = neverAnswer();
    testTo('fails with TRANSPORT_ABORTED when it is aborted while the server thinks', silent.server, async (transport) => {
      const controller = new AbortController();
      const sending = transport.send({ ...POST, body: utf8('x'), signal: controller.signal });
      await Promise.race([silent.asked, sending]);
      controller.abort();
      await assertFault(sending, 'TRANSPORT_ABORTED', 'a request that was aborted on the way');
    });

    testWith(runner, 'ends what is under way when it is closed, and refuses what comes later', ['close', hasClose || undefined], async () => {
      const { server, asked } = neverAnswer();
      await withConnection(await connect(server), async (transport) => {
        const sending = transport.send(GET);
        await Promise.race([asked, sending]);
        transport.close!();
        await assertFault(sending, 'TRANSPORT_ABORTED', 'a request under way at close');
        await assertFault(transport.send(GET), 'TRANSPORT_ABORTED', 'a request after close');
        transport.close!();
      });
    });

    testWith(runner, 'fails with TRANSPORT_UNREACHABLE, and the cause, where no server is', ['connectNowhere', connectNowhere], async (nowhere) =>
      withConnection(await nowhere(), async (transport) => {
        const fault = await assertFault(transport.send(GET), 'TRANSPORT_UNREACHABLE', 'a request to nobody');
        assertThat(fault.cause !== undefined, 'the fault keeps what the platform said');
      }),
    );
  });
}

const GET: TransportRequest = { method: 'GET', path: 'feed', headers: {} };
const POST: TransportRequest = { method: 'POST', path: 'upload', headers: {} };

async function withConnection(connection: TransportConnection, run: (transport: TransportAdapter) => Promise<void>): Promise<void> {
  try {
    await run(connection.transport);
  } finally {
    connection.transport.close?.();
    await connection.disconnect?.();
  }
}

const echoRequest: SuiteServer = async (request) => {
  const url = new URL(request.url);
  return Response.json({
    method: request.method,
    path: url.pathname.slice(url.pathname.lastIndexOf('/') + 1),
    query: url.search,
    store: request.headers.get('fieldtide-store'),
    hasBody: (await request.arrayBuffer()).byteLength > 0,
  });
};

const echoBody: SuiteServer = async (request) => new Response(await request.arrayBuffer());

const answerAsAsked: SuiteServer = async (request) => {
  const status = Number(new URL(request.url).search.slice(1));
  return new Response(status === 204 ? null : 'body', { status, headers: { 'X-Mixed-Case': 'Kept As Is' } });
};

function countRequests(): SuiteServer {
  let count = 0;
  // Headers that would let a cache answer the second time.
  return async () => new Response(`${++count}`, { headers: { 'cache-control': 'max-age=3600', etag: '"same"' } });
}

/** Waits for `count` requests, and answers the last one first. */
function answerInReverse(count: number): SuiteServer {
  const waiting: (() => void)[] = [];
  return async (request) => {
    const body = await request.arrayBuffer();
    const answered = new Promise<void>((resolve) => waiting.push(resolve));
    if (waiting.length === count) for (const answer of waiting.reverse()) answer();
    await answered;
    return new Response(body);
  };
}

function neverAnswer(): { readonly server: SuiteServer; readonly asked: Promise<void> } {
  let noteRequest = () => {};
  const asked = new Promise<void>((resolve) => (noteRequest = resolve));
  const server: SuiteServer = () => {
    noteRequest();
    return new Promise(() => {});
  };
  return { server, asked };
}
