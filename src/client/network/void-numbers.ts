import type { NetworkContext } from '../engine-context.ts';
import { isUndecided } from '../queue/queue-entry.ts';
import { badAnswer } from './server-link.ts';
import { takeResults } from '../answers/take-result.ts';

/**
 * Rule C2: asks the server to give up the numbers of refused entries on which it has decided nothing, so that they can never arrive.
 * What it has decided after all is taken in like the answer to an upload; the others stay as they are, under no number.
 *
 * @param seqs - entries that this device gave up on; others are left alone
 * @throws {@link SyncFault} those of the transport; nothing has changed
 */
export async function voidNumbers(context: NetworkContext, seqs: readonly number[]): Promise<void> {
  const { store, link, answers } = context;
  const entries = seqs.flatMap((seq) => store.entry(seq) ?? []).filter(isUndecided);
  if (entries.length === 0) return;
  await answers.pass(async () => {
    const answer = await link.void(store.meta.store, entries.map(({ number }) => number!));
    await takeResults(context, entries, answer, {
      onVoided({ step }, entry) {
        if (entry.state === 'failed') step.putEntry({ ...entry, number: null });
      },
      onTryLater() {
        throw badAnswer('it puts off what it was asked to give up');
      },
    });
  });
}
