import type { ByteString } from '../core/text';

/** A file or folder of an initial file system. */
export interface CpioEntry {
  name: string;
  /** With the file type bits. */
  mode: number;
  content: ByteString;
  /** Of a device. */
  device?: [major: number, minor: number];
}

/** An archive in the kernel's own format for initial file systems (`newc`), not compressed. */
export function cpio(entries: readonly CpioEntry[]): ByteString {
  const parts: string[] = [];
  const hex = (n: number) => n.toString(16).padStart(8, '0');
  const pad = (length: number) => '\0'.repeat((4 - (length % 4)) % 4);
  [...entries, { name: 'TRAILER!!!', mode: 0, content: '' } as CpioEntry].forEach((e, i) => {
    const [major, minor] = e.device ?? [0, 0];
    const fields = [i + 1, e.mode, 0, 0, 1, 0, e.content.length, 0, 0, major, minor, e.name.length + 1, 0];
    const head = `070701${fields.map(hex).join('')}${e.name}\0`;
    parts.push(head, pad(head.length), e.content, pad(e.content.length));
  });
  return parts.join('');
}
