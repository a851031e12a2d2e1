import type { AnswerHead } from '../protocol/messages.ts';

/** Says whether an answer echoes the request that it is to be the answer to. */
export type IsEcho = (head: Echo, asked: Echo) => boolean;

/** What an answer repeats of its request. */
export type Echo = Pick<AnswerHead, 'store' | 'attempt'>;

/** Threat T8: an answer to something else, however well formed, is no answer. */
export const isEcho: IsEcho = (head, asked) => head.store === asked.store && head.attempt === asked.attempt;
