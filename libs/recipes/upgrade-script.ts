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
  /** What packages make while they are installed, and each server makes for itself. */
  readonly madeByServers: readonly string[];
  /** What becomes of units, by name: `enable`, `disable` or `mask`; null: the recipe says nothing of it any more. */
  readonly units: readonly Change<string | null>[];
  /** Those that the recipe enables: they read their files anew. */
  readonly services: readonly string[];
}

/** A kernel that runs cannot be removed; the new one is started at the next boot. */
const KEPT = /^linux-image-/;
/** Of one version of the kernel: archives keep the newest alone, which comes with the package that stands for all versions. */
const ONE_KERNEL = /^linux-image-\d/;

/**
 * A script for `/bin/sh` that does it, as root, or fails. Packages become at least as new as the image's, and none is set back.
 * It may be run again. What first boots do is left out: this server has had its own. Every name, path and content stands in it
 * quoted.
 */
export function upgradeScript(plan: UpgradePlan): string {
  const { early, late } = filesOf(plan);
  const wanted = wantedPackages(plan.packages);
  const gone = plan.packages.filter(({ name, after }) => after === null && !KEPT.test(name));
  const made = wanted.length > 0 ? plan.madeByServers : [];
  const parts = [
    `#!/bin/sh\n# Makes of this server what ${comment(plan.title)} is.\nset -eu\nexport DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8`,
    ...(early.length + late.length > 0 ? [WRITE_FILE] : []),
    ...early.map(written),
    ...(made.length > 0 ? [notThereYet(made)] : []),
    ...(wanted.length > 0 ? [INSTALL_PACKAGES, command('install_packages', wanted)] : []),
    ...commands(
      'apt-get remove --yes --',
      gone.map(({ name }) => name),
    ),
    ...late.map(written),
    ...commands('rm -f --', plan.filesToRemove.filter(isOfImage)),
    ...unitLines(plan, made.length > 0),
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

/** `early`: before packages are configured, as the cook lays them; `late`: what is not done by that. */
function filesOf({ filesToWrite }: UpgradePlan) {
  const files = filesToWrite.filter(({ path }) => isOfImage(path));
  const isRoots = ({ owner, group }: RecipeContent) => owner === 'root' && group === 'root';
  const early = files.filter((file) => file.early).map((file) => ({ ...file, owner: 'root', group: 'root' }));
  return { early, late: files.filter((file) => !(file.early && isRoots(file))) };
}

/** `nginx=1.22.1-9`, each of them. */
function wantedPackages(packages: UpgradePlan['packages']): string[] {
  const wanted = packages.filter(({ after }) => after !== null);
  const hasEveryKernel = wanted.some(({ name }) => KEPT.test(name) && !ONE_KERNEL.test(name));
  const named = wanted.filter(({ name }) => !(hasEveryKernel && ONE_KERNEL.test(name)));
  return named.map(({ name, after }) => `${name}=${after}`);
}

/** They become the parameters of the script: what is there by now is this server's own. */
function notThereYet(paths: readonly string[]): string {
  return [
    `set --\n${command('for path in', paths)}`,
    'do',
    '  [ -e "$path" ] || [ -L "$path" ] || set -- "$@" "$path"',
    'done',
  ].join('\n');
}

/** Of `name=version` each becomes at least of that version: what is older or absent, what the archive has today. */
const INSTALL_PACKAGES = `is_there() {
  version=$(dpkg-query --show --showformat='\${db:Status-Status} \${Version}\\n' -- "\${1%%=*}" 2>/dev/null |
    sed -n '1s/^\\(installed\\|triggers-[a-z]*\\) //p')
  [ -n "$version" ] && dpkg --compare-versions "$version" ge "\${1#*=}"
}

install_packages() {
  for wanted do
    shift
    is_there "$wanted" || set -- "$@" "$wanted"
  done
  [ $# -gt 0 ] || return 0
  apt-get update
  (
    for wanted do
      shift
      set -- "$@" "\${wanted%%=*}"
    done
    apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold -- "$@"
  )
  for wanted do
    is_there "$wanted" && continue
    echo "the archive has no \${wanted%%=*} of version \${wanted#*=} or newer" >&2
    return 1
  done
}`;

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

function unitLines(
  { units, services, filesToWrite, filesToRemove }: UpgradePlan,
  mayHaveMade: boolean,
): string[] {
  const changed = units.filter(({ name }) => name !== FIRST_BOOT.unit);
  const to = (what: string) => changed.filter(({ after }) => after === what).map(({ name }) => name);
  const unmasked = changed.filter(({ before }) => before === 'mask').map(({ name }) => name);
  const hasFiles = filesToWrite.length + filesToRemove.length > 0;
  const reloading = services.filter((unit) => unit.endsWith('.service') && unit !== FIRST_BOOT.unit);
  const lines = [
    ...(hasFiles ? ['systemctl daemon-reload'] : []),
    ...(mayHaveMade ? [removeMade(to('enable'))] : []),
    ...commands('systemctl unmask --', unmasked),
    ...commands('systemctl disable --now --', to('disable')),
    ...commands('systemctl mask --now --', to('mask')),
    ...commands('systemctl enable --now --', to('enable')),
    ...(hasFiles ? commands('systemctl try-reload-or-restart --', reloading) : []),
  ];
  return lines.length > 0 ? [lines.join('\n')] : [];
}

/** What packages have made of `notThereYet`. Packages start what they bring, which must not hold on to it. */
function removeMade(newUnits: readonly string[]): string {
  const lines = [...commands('systemctl stop --', newUnits), 'rm -rf -- "$@"'];
  return ['if [ $# -gt 0 ]; then', ...lines, 'fi'].join('\n');
}

function isOfImage(path: string): boolean {
  return path !== FIRST_BOOT.unitPath && path !== FIRST_BOOT.scriptPath;
}

function commands(start: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [command(start, words)];
}

function command(start: string, words: readonly string[]): string {
  return [start, ...words.map((word) => `  ${shellWord(word)}`)].join(' \\\n');
}
