import { createHash } from 'node:crypto';
import { toBytes, type ByteString } from '../core/text';

/** The id that git gives a blob of this content (SHA-1 repositories). */
export function blobId(text: ByteString): string {
  const bytes = toBytes(text);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
