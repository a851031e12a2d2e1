import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Jobs that a worker has ahead of it. */
const AHEAD = 4;

/** Hands jobs to worker processes, which run this same program with `--worker`, until there are none left. */
export async function runJobs<Job extends object, Result>(next: () => Job | null, take: (result: Result) => void, count: number = availableParallelism()): Promise<void> {
  const program = process.argv[1]!;
  await Promise.all(
    Array.from({ length: count }, () => {
      return new Promise<void>((resolve, reject) => {
        // A run makes many small objects that live for a moment.
        const worker = fork(program, ['--worker'], { execArgv: ['--enable-source-maps', '--max-semi-space-size=32'] });
        let underWay = 0;
        const hand = (): void => {
          const job = next();
          if (job !== null) {
            underWay++;
            worker.send(job);
          } else if (underWay === 0 && worker.connected) worker.disconnect();
        };
        worker.on('message', (result) => {
          underWay--;
          take(result as Result);
          hand();
        });
        worker.on('error', reject);
        worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
        for (let ahead = 0; ahead < AHEAD; ahead++) hand();
      });
    }),
  );
}

/** Runs what the parent process hands out. */
export function serveJobs<Job>(run: (job: Job) => Promise<object>): void {
  process.on('message', (job) => void run(job as Job).then((result) => process.send!(result)));
}
