import { diskError, malformed } from '../disk-files.errors.ts';

const TAKEN = ['monolithicsparse', 'streamoptimized'];
const NO_PARENT = 'ffffffff';
const EXTENT = /^(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)(?:\s+"([^"]*)")?(.*)$/i;

/**
 * The text within a VMDK that says of which files it consists: one, sparse, and itself.
 * @throws DomainError `disk_refers_elsewhere`, `disk_encrypted`, `disk_malformed`
 */
export function checkDescriptor(text: string): void {
  const ended = text.indexOf('\0');
  const lines = (ended === -1 ? text : text.slice(0, ended)).split(/\r?\n/).map((line) => line.trim());
  const values = new Map<string, string>();
  for (const line of lines) {
    const [, key, value] = /^([\w.]+)\s*=\s*"?([^"]*)"?$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    if (values.has(key.toLowerCase()))
      throw malformed(`The descriptor within the VMDK says ${key.slice(0, 40)} twice`);
    values.set(key.toLowerCase(), value.toLowerCase());
  }
  checkValues(values);
  checkExtents(lines.filter((line) => /^(RW|RDONLY|NOACCESS)\b/i.test(line)));
}

function checkValues(values: ReadonlyMap<string, string>): void {
  if ([...values.keys()].some((key) => key.startsWith('encryption'))) {
    throw diskError(
      'disk_encrypted',
      'The VMDK is encrypted. Decrypt it in its program and export it again.',
    );
  }
  if (values.has('parentfilenamehint') || (values.get('parentcid') ?? NO_PARENT) !== NO_PARENT) {
    throw diskError(
      'disk_refers_elsewhere',
      'The VMDK stands on a parent disk (a snapshot). Consolidate it, and export it again.',
    );
  }
  const type = values.get('createtype') ?? 'none';
  if (!TAKEN.includes(type)) {
    throw diskError(
      'disk_refers_elsewhere',
      `A VMDK of the type ${type.slice(0, 40)} needs further files. Export it as streamOptimized.`,
    );
  }
}

function checkExtents(extents: readonly string[]): void {
  if (extents.length !== 1) throw elsewhere(`${extents.length} extents`);
  const [, , , kind = '', name = '', rest = ''] = EXTENT.exec(extents[0] ?? '') ?? [];
  if (kind.toUpperCase() !== 'SPARSE') throw elsewhere(`an extent of the kind ${kind.slice(0, 40)}`);
  if (name === '' || /[/\\:]|^\.+$/.test(name) || rest.trim() !== '')
    throw elsewhere('an extent at another place');
}

function elsewhere(what: string) {
  return diskError(
    'disk_refers_elsewhere',
    `The VMDK has ${what}. Export it as streamOptimized, which is one file.`,
  );
}
