import { z } from 'zod';

const count = z.int().min(0);

/** What `kport index --json` prints. */
export const IndexSchema = z.object({
  schemaVersion: z.literal(1),
  tree: z.object({ name: z.string(), commit: z.string().nullable().describe('Null for a plain folder.') }),
  attributes: z.array(z.string()).describe('Attribute words that the kernel defines for itself.'),
  stats: z.object({
    files: count,
    bytes: count,
    definitions: count,
    cached: count.describe('Files that came from the cache.'),
    indexed: count.describe('Files that were indexed now.'),
    damaged: count.describe('Entries of the cache that could not be trusted and were made anew.'),
    milliseconds: count,
  }),
  folders: z.array(
    z.object({
      folder: z.string(),
      files: count,
      definitions: count,
      parsed: count.describe('Files that are C.'),
      filesBad: count.describe('Files in which the grammar sees an error, after the pre-pass.'),
      items: count.describe('Items at file level.'),
      itemsBad: count,
      filesBadRaw: count.nullable().describe('The same without the pre-pass; null without --raw.'),
      itemsBadRaw: count.nullable(),
      broken: count.describe('Definitions that the tokens tell and the grammar does not see so.'),
    }),
  ),
  troubled: z
    .array(z.object({ path: z.string(), trouble: z.string().describe('One sentence.') }))
    .describe('Files that could not be indexed properly: binary, too large.'),
});
