/** What is known of a C type: how wide it is on arm64, and how it is extended. */
export interface TypeInfo {
  bits: number;
  signed: boolean;
  pointer: boolean;
}

const SCALARS: Record<string, [bits: number, signed: boolean]> = {
  bool: [8, false],
  _Bool: [8, false],
  char: [8, false],
  'signed char': [8, true],
  'unsigned char': [8, false],
  short: [16, true],
  'short int': [16, true],
  'unsigned short': [16, false],
  int: [32, true],
  signed: [32, true],
  unsigned: [32, false],
  'unsigned int': [32, false],
  long: [64, true],
  'long int': [64, true],
  'unsigned long': [64, false],
  'unsigned long int': [64, false],
  'long unsigned int': [64, false],
  'long long': [64, true],
  'unsigned long long': [64, false],
  size_t: [64, false],
  ssize_t: [64, true],
  loff_t: [64, true],
  uintptr_t: [64, false],
  gfp_t: [32, false],
};
for (const n of [8, 16, 32, 64]) {
  for (const u of [`u${n}`, `__u${n}`, `uint${n}_t`, `__le${n}`, `__be${n}`]) SCALARS[u] = [n, false];
  for (const s of [`s${n}`, `__s${n}`, `int${n}_t`]) SCALARS[s] = [n, true];
}
for (const t of [
  'phys_addr_t',
  'resource_size_t',
  'dma_addr_t',
  'gpa_t',
  'gfn_t',
  'gva_t',
  'hpa_t',
  'hfn_t',
  'hva_t',
  'kvm_pfn_t',
  'pfn_t',
]) {
  SCALARS[t] = [64, false];
}

/** Null for `void` and for types that only the set knows. */
export function typeInfo(type: string): TypeInfo | null {
  const text = type
    .replace(/\b(const|volatile|__user|__iomem|__hyp)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (/[*\]]$/.test(text)) return { bits: 64, signed: false, pointer: true };
  if (/^enum /.test(text)) return { bits: 32, signed: false, pointer: false };
  const known = SCALARS[text];
  return known ? { bits: known[0], signed: known[1], pointer: false } : null;
}

/** The typedef name that a type is built on; null when it has none that would have to be declared. */
export function baseType(type: string): string | null {
  const text = type
    .replace(/\b(const|volatile)\b|[*]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return /^\w+$/.test(text) && text !== 'void' && !SCALARS[text] ? text : null;
}

/** Tags of structs and unions that a type points to: `struct kvm`. */
export function tagsIn(type: string): string[] {
  return type.match(/\b(?:struct|union)\s+\w+/g)?.map((t) => t.replace(/\s+/g, ' ')) ?? [];
}
