import { fork, type ChildProcess } from 'node:child_process';

/** A contender in a process of its own: its memory and its garbage are nobody else's. */
export interface Remote {
  /** Resolves once the process answers calls. */
  ready(): Promise<void>;
  call<Answer>(method: string, ...args: readonly unknown[]): Promise<Answer>;
  close(): void;
}

interface Request {
  readonly method: string;
  readonly args: readonly unknown[];
}

type Reply = { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly message: string };

const CHILD = '--child';
const START = 'start';

/** What this process was started for by {@link startRemote}; `null` in the process that the bench began with. */
export function remoteTask<Task>(): Task | null {
  const place = process.argv.indexOf(CHILD);
  return place < 0 ? null : (JSON.parse(process.argv[place + 1]!) as Task);
}

/**
 * Starts this program once more, for a part of its work. One call at a time.
 *
 * @param heap - the flag of Node that says how far its heap may grow
 */
export function startRemote(task: unknown, heap = '--max-old-space-size=8192'): Remote {
  const child = fork(process.argv[1]!, [CHILD, JSON.stringify(task)], {
    execArgv: ['--expose-gc', '--enable-source-maps', heap],
    serialization: 'advanced',
  });
  const started = ask(child, { method: START, args: [] });
  return {
    ready: async () => {
      const reply = await started;
      if (!reply.ok) throw new Error(reply.message);
    },
    call: async <Answer>(method: string, ...args: readonly unknown[]) => {
      const reply = await ask(child, { method, args });
      if (!reply.ok) throw new Error(`${method}: ${reply.message}`);
      return reply.answer as Answer;
    },
    close: () => void child.kill(),
  };
}

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Answers the calls of the process that started this one, once what answers them is there. */
export function serveRemote(open: () => Promise<Methods>): void {
  const methods = open();
  methods.catch(() => {}); // The first call hears of it.
  process.on('disconnect', () => process.exit(0));
  process.on('message', async ({ method, args }: Request) => {
    let reply: Reply;
    try {
      const served = await methods;
      reply = { ok: true, answer: method === START ? null : await served[method]!(...(args as never[])) };
    } catch (error) {
      reply = { ok: false, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send!(reply);
  });
}

function ask(child: ChildProcess, request: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void => reject(new Error(`${request.method}: the process ended (${signal ?? code})`));
    child.once('exit', onExit);
    child.once('message', (reply) => {
      child.off('exit', onExit);
      resolve(reply as Reply);
    });
    child.send(request);
  });
}
