import type { RecipeContent } from '#libs/images/recipe';
import type { Change } from '#libs/kernel';
import { FIRST_BOOT } from './image-paths.ts';

/** What has to be done on a server of one image to have what another one has. */
export interface UpgradePlan {
  /** Of the image that it becomes like: for people. */
  readonly title: string;
  /** By name, with both versions. */
  readonly packages: readonly Change<string | null>[];
  readonly filesToWrite: readonly RecipeContent[];
  readonly filesToRemove: readonly string[];
  /** What becomes of units, by name: `enable`, `disable` or `mask`; null: the recipe says nothing of it any more. */
  readonly units: readonly Change<string | null>[];
  /** Those that the recipe enables: they read their files anew. */
  readonly services: readonly string[];
}

/** A kernel that runs cannot be removed; the new one is started at the next boot. */
const KEPT = /^linux-image-/;

/**
 * A script for `/bin/sh` that does it, as root, with the very versions that the image has, or fails. It may be run again.
 * What first boots do is left out: this server has had its own. Every name, path and content stands in it quoted.
 */
export function upgradeScript(plan: UpgradePlan): string {
  const parts = [
    `#!/bin/sh\n# Makes of this server what ${comment(plan.title)} is.\nset -eu\nexport DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8`,
    ...packageLines(plan.packages),
    ...fileLines(plan),
    ...unitLines(plan),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** One word of a shell, whatever it holds. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function comment(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function packageLines(changes: readonly Change<string | null>[]): string[] {
  const wanted = changes.flatMap(({ name, after }) => (after === null ? [] : [`${name}=${after}`]));
  const gone = changes.flatMap(({ name, after }) => (after === null && !KEPT.test(name) ? [name] : []));
  const options = '--yes --no-install-recommends --allow-downgrades -o Dpkg::Options::=--force-confold';
  return [
    ...(wanted.length > 0 ? [`apt-get update\n${command(`apt-get install ${options} --`, wanted)}`] : []),
    ...(gone.length > 0 ? [command('apt-get remove --yes --', gone)] : []),
  ];
}

function fileLines({ filesToWrite, filesToRemove }: UpgradePlan): string[] {
  const write = filesToWrite.filter(({ path }) => !isOfFirstBoot(path));
  const remove = filesToRemove.filter((path) => !isOfFirstBoot(path));
  return [
    ...(write.length > 0 ? [WRITE_FILE, ...write.map(written)] : []),
    ...(remove.length > 0 ? [command('rm -f --', remove)] : []),
  ];
}

/** Its standard input in base64 becomes the file, whole or not at all. */
const WRITE_FILE = `write_file() {
  mkdir -p -- "$(dirname -- "$1")"
  new=$(mktemp -- "$1.XXXXXX")
  base64 -d >"$new"
  chown "$3" "$new"
  chmod "$2" "$new"
  mv -fT -- "$new" "$1"
}`;

function written({ path, mode, owner, group, content }: RecipeContent): string {
  const lines = content.toString('base64').match(/.{1,76}/g) ?? [];
  const words = [path, mode, `${owner}:${group}`].map(shellWord).join(' ');
  return [`write_file ${words} <<'END'`, ...lines, 'END'].join('\n');
}

function unitLines({ units, services, filesToWrite, filesToRemove }: UpgradePlan): string[] {
  const changed = units.filter(({ name }) => name !== FIRST_BOOT.unit);
  const to = (what: string) => changed.filter(({ after }) => after === what).map(({ name }) => name);
  const unmasked = changed.filter(({ before }) => before === 'mask').map(({ name }) => name);
  const hasFiles = filesToWrite.length + filesToRemove.length > 0;
  const reloading = services.filter((unit) => unit.endsWith('.service') && unit !== FIRST_BOOT.unit);
  const lines = [
    ...(hasFiles ? ['systemctl daemon-reload'] : []),
    ...commands('systemctl unmask --', unmasked),
    ...commands('systemctl disable --now --', to('disable')),
    ...commands('systemctl mask --now --', to('mask')),
    ...commands('systemctl enable --now --', to('enable')),
    ...(hasFiles ? commands('systemctl try-reload-or-restart --', reloading) : []),
  ];
  return lines.length > 0 ? [lines.join('\n')] : [];
}

function isOfFirstBoot(path: string): boolean {
  return path === FIRST_BOOT.unitPath || path === FIRST_BOOT.scriptPath;
}

function commands(start: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [command(start, words)];
}

function command(start: string, words: readonly string[]): string {
  return [start, ...words.map((word) => `  ${shellWord(word)}`)].join(' \\\n');
}
