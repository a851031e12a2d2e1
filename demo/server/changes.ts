import type { ServerResponse } from 'node:http';

/** Tells every open page that the server saved something, as server-sent events. */
export interface ChangeStream {
  /** Takes over a response; it stays open. */
  add(response: ServerResponse): void;
  announce(): void;
  close(): void;
}

export function createChangeStream(): ChangeStream {
  const open = new Set<ServerResponse>();
  let isDue = false;
  return {
    add(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(': open\n\n');
      open.add(response);
      response.on('close', () => open.delete(response));
    },
    announce() {
      if (isDue) return;
      isDue = true;
      // Saves come in bursts; one word for all of them is enough.
      setTimeout(() => {
        isDue = false;
        for (const response of open) response.write('event: changed\ndata:\n\n');
      }, 50).unref();
    },
    close() {
      for (const response of open) response.end();
    },
  };
}
