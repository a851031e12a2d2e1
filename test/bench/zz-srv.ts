import { servePolls } from './polls-server.ts';
import { Session } from 'node:inspector';
import { writeFileSync } from 'node:fs';
const [mode, url] = process.argv.slice(2);
if (process.env.PROF && mode === 'coalesced') {
  const s = new Session(); s.connect();
  process.on('SIGUSR2', () => s.post('Profiler.enable', () => s.post('Profiler.setSamplingInterval', { interval: 200 }, () => s.post('Profiler.start'))));
  process.on('SIGTERM', () => s.post('Profiler.stop', (_e: unknown, r: any) => { writeFileSync(process.env.PROF!, JSON.stringify(r.profile)); process.exit(0); }));
}
await servePolls(url!, mode === 'coalesced');
