import type { Server } from 'node:http';

const MOST_TRIES = 20;

/** Listens on this machine only, on the port or the next one that is free; returns the one it is. */
export async function listenNear(server: Server, port: number): Promise<number> {
  for (let tried = port; ; tried++) {
    try {
      await listen(server, tried);
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : tried;
    } catch (thrown) {
      const isTaken = (thrown as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || tried - port >= MOST_TRIES) throw thrown;
    }
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
