import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { YamlDocument } from './port/seeds.ts';

/** A part of user data that is ours, and how cloud-init merges it over the parts before it. */
export interface MergedConfig {
  readonly config: YamlDocument;
  /** `replace`: its keys stand in place of those that are there. `append`: its lists stand behind those. */
  readonly merge: 'replace' | 'append';
}

/** cloud-init's words for it: https://cloudinit.readthedocs.io/en/latest/reference/merging.html */
const MERGE_TYPE = {
  replace: 'dict(replace)+list()+str()',
  append: 'list(append)+dict(recurse_list)+str()',
} as const;

/** A multipart document begins with its headers; cloud-init takes its parts one by one. */
const MULTIPART = /^(?:content-type:\s*multipart\/|mime-version:)/i;

const LINE_CHARACTERS = 76;

/**
 * An owner's user data, whatever its kind, with parts of ours merged over it: one multipart document, in which
 * cloud-init finds theirs unchanged. Vendor data could not do this, as user data always goes over it.
 */
export function composeUserData(owners: string, ours: readonly MergedConfig[]): string {
  const boundary = `servery-${createHash('sha256').update(owners).digest('hex').slice(0, 32)}`;
  const theirs = MULTIPART.test(owners) ? owners : encoded('text/plain', owners);
  const parts = [
    theirs,
    ...ours.map(({ config, merge }) => encoded('text/cloud-config', cloudConfig(config), MERGE_TYPE[merge])),
  ];
  const head = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\n\n`;
  return `${head}${parts.map((part) => `--${boundary}\n${part}\n`).join('')}--${boundary}--\n`;
}

export function cloudConfig(document: YamlDocument): string {
  return `#cloud-config\n${toYaml(document)}`;
}

/** cloud-init reads YAML 1.1, where `52:54:00:12:34:56` and `on` without quotes are a number and a truth value. */
export function toYaml(document: YamlDocument): string {
  return stringify(document, { version: '1.1' });
}

function encoded(type: string, content: string, mergeType?: string): string {
  const headers = [
    `Content-Type: ${type}; charset="utf-8"`,
    'Content-Transfer-Encoding: base64',
    ...(mergeType === undefined ? [] : [`Merge-Type: ${mergeType}`]),
  ];
  const base64 = Buffer.from(content, 'utf8').toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return [...headers, '', ...lines].join('\n');
}
