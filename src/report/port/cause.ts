import type { Cause, HunkReport } from '../../core/outcome';

/** A cause as one phrase: release, commit, text. What the text says by itself is not said in front of it. */
export function causeText({ release, commit, text }: Cause): string {
  const isSaid = (word: string) => text.split(/[\s,;:()]+/).includes(word);
  const front = [release, commit?.slice(0, 12)].filter((w): w is string => !!w && !isSaid(w));
  return [...front, text].join(': ');
}

/** What a page says of a hunk: its message and its cause, and nothing of the one in the other. */
export function reasonsOf(h: Pick<HunkReport, 'message' | 'causedBy'>): {
  message: string | null;
  cause: string | null;
} {
  const cause = h.causedBy && causeText(h.causedBy);
  return { message: cause !== null && h.message !== null && cause.includes(h.message) ? null : h.message, cause };
}
