import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that is there to be killed. */
export interface Victim {
  /** Resolves when it has said that it is ready; `false` when it ended before. */
  readonly ready: Promise<boolean>;
  tell(command: string): void;
  /** SIGKILL, at once; resolves when it is gone and everything it wrote was heard. */
  kill(): Promise<void>;
  /** Asks it to end by itself and waits. */
  end(signal: 'SIGTERM' | null): Promise<void>;
}

/** Starts a program; `hear` gets each line that it writes, as JSON. */
export function startVictim(program: string, args: readonly string[], hear: (message: { readonly kind: string }) => void): Victim {
  const child: ChildProcess = spawn(process.execPath, ['--enable-source-maps', program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin!.on('error', () => {}); // it was killed while it was told something
  let markReady: (isReady: boolean) => void = () => {};
  const ready = new Promise<boolean>((resolve) => (markReady = resolve));
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    const message = parseLine(line);
    if (message === null) return;
    hear(message);
    if (message.kind === 'ready') markReady(true);
  });
  const gone = Promise.all([
    new Promise((resolve) => child.once('exit', resolve)),
    new Promise((resolve) => lines.once('close', resolve)),
  ]).then(() => markReady(false));
  return {
    ready,
    tell: (command) => void child.stdin!.write(`${command}\n`),
    kill() {
      child.kill('SIGKILL');
      return gone;
    },
    end(signal) {
      if (signal !== null) child.kill(signal);
      return gone;
    },
  };
}

/** The last line of a killed process may be cut off. */
function parseLine(line: string): { readonly kind: string } | null {
  try {
    return JSON.parse(line) as { readonly kind: string };
  } catch {
    return null;
  }
}
