/** Seconds since the epoch: now, or what SOURCE_DATE_EPOCH says, for output that is the same in every run. */
export function now(): number {
  const fixed = process.env.SOURCE_DATE_EPOCH;
  return fixed && /^\d+$/.test(fixed) ? Number(fixed) : Math.floor(Date.now() / 1000);
}
